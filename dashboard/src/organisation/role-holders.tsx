/** Who has a role: people, groups, and keys of programs. */
import { MultiSelect, Stack } from "@mantine/core";
import { useAct } from "~/api/act";
import { ALL, api, http } from "~/api/client";
import { nameOf } from "~/parts/person";
import { useGroupNames, useMembers } from "./members";

const USERS = "/api/v1/organisations/{organisation_id}/roles/{role_id}/users/";
const GROUPS = "/api/v1/organisations/{organisation_id}/roles/{role_id}/groups/";

const KEYS = "/api/v1/organisations/{organisation_id}/roles/{role_id}/master-api-keys/";

/** Keys that may do everything need no role. */
function KeyHolders({ organisation, role }: { organisation: number; role: number }) {
  const path = { organisation_id: organisation, role_id: role };
  const all = api.useQuery("get", "/api/v1/organisations/{organisation_id}/master-api-keys/", {
    params: { path: { organisation_id: organisation }, query: ALL },
  });
  const holders = api.useQuery("get", KEYS, { params: { path, query: ALL } });
  const set = useAct(
    async (wanted: string[]) => {
      const present = holders.data?.results ?? [];
      for (const prefix of wanted.filter((one) => !present.some((held) => held.master_api_key === one)))
        await http.POST(KEYS, { params: { path }, body: { master_api_key: prefix } });
      for (const { id } of present.filter((held) => !wanted.includes(held.master_api_key)))
        await http.DELETE("/api/v1/organisations/{organisation_id}/roles/{role_id}/master-api-keys/{id}/", {
          params: { path: { ...path, id } },
        });
    },
    { changes: [KEYS] },
  );
  const keys = (all.data?.results ?? []).filter((key) => !key.is_admin);
  return (
    <MultiSelect
      label="API keys"
      searchable
      disabled={holders.data === undefined || set.isPending}
      data={keys.map((key) => ({ value: key.prefix, label: key.name }))}
      value={(holders.data?.results ?? []).map((held) => held.master_api_key)}
      onChange={set.mutate}
      nothingFoundMessage="No key needs roles: those there may do everything"
    />
  );
}

export function RoleHolders({ organisation, role }: { organisation: number; role: number }) {
  const path = { organisation_id: organisation, role_id: role };
  const members = useMembers(organisation).data ?? [];
  const groups = useGroupNames(organisation).data ?? [];
  const users = api.useQuery("get", USERS, { params: { path, query: ALL } });
  const holders = api.useQuery("get", GROUPS, { params: { path, query: ALL } });
  const setUsers = useAct(
    async (wanted: number[]) => {
      const present = users.data?.results ?? [];
      for (const user of wanted.filter((id) => !present.some((one) => one.user === id)))
        await http.POST(USERS, { params: { path }, body: { user } });
      for (const { id } of present.filter((one) => !wanted.includes(one.user)))
        await http.DELETE("/api/v1/organisations/{organisation_id}/roles/{role_id}/users/{id}/", {
          params: { path: { ...path, id } },
        });
    },
    { changes: [USERS] },
  );
  const setGroups = useAct(
    async (wanted: number[]) => {
      const present = holders.data?.results ?? [];
      for (const group of wanted.filter((id) => !present.some((one) => one.group === id)))
        await http.POST(GROUPS, { params: { path }, body: { group } });
      for (const { id } of present.filter((one) => !wanted.includes(one.group)))
        await http.DELETE("/api/v1/organisations/{organisation_id}/roles/{role_id}/groups/{id}/", {
          params: { path: { ...path, id } },
        });
    },
    { changes: [GROUPS] },
  );
  return (
    <Stack>
      <MultiSelect
        label="People"
        searchable
        disabled={users.data === undefined || setUsers.isPending}
        data={members.map((member) => ({ value: String(member.id), label: nameOf(member) }))}
        value={(users.data?.results ?? []).map((one) => String(one.user))}
        onChange={(values) => setUsers.mutate(values.map(Number))}
      />
      <MultiSelect
        label="Groups"
        searchable
        disabled={holders.data === undefined || setGroups.isPending}
        data={groups.map((group) => ({ value: String(group.id), label: group.name }))}
        value={(holders.data?.results ?? []).map((one) => String(one.group))}
        onChange={(values) => setGroups.mutate(values.map(Number))}
      />
      <KeyHolders organisation={organisation} role={role} />
    </Stack>
  );
}
