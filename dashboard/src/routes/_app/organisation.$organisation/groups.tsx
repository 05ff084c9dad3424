import { Button, Checkbox, Modal, MultiSelect } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconUsersGroup } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http, type Schema } from "~/api/client";
import { useOrganisationMay } from "~/lib/permissions";
import { useMembers } from "~/organisation/members";
import { DeleteButton } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { Page } from "~/parts/page";
import { nameOf } from "~/parts/person";
import { Section } from "~/parts/section";
import { Empty, Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";

export const Route = createFileRoute("/_app/organisation/$organisation/groups")({ component: Groups });

const GROUPS = "/api/v1/organisations/{organisation_id}/groups/";

function CreateGroup({ organisation, onClose }: { organisation: number; onClose: () => void }) {
  const [name, setName] = useState("");
  const [isDefault, setDefault] = useState(false);
  const create = useAct(
    () =>
      http.POST(GROUPS, {
        params: { path: { organisation_id: organisation } },
        body: { name: name.trim(), is_default: isDefault },
      }),
    { quiet: true, changes: [GROUPS], done: "The group is created.", after: onClose },
  );
  return (
    <Form onSubmit={() => create.mutate()}>
      <Refusal error={create.error} fields={["name"]} />
      <TextField
        label="Name"
        required
        data-autofocus
        value={name}
        onChange={setName}
        error={about(create.error, "name")}
      />
      <Checkbox
        label="Everybody who joins is in it"
        checked={isDefault}
        onChange={(event) => setDefault(event.currentTarget.checked)}
      />
      <Button type="submit" loading={create.isPending} disabled={!name.trim()}>
        Create group
      </Button>
    </Form>
  );
}

function GroupSection({
  organisation,
  group,
  mayManage,
}: {
  organisation: number;
  group: Schema<"GroupView">;
  mayManage: boolean;
}) {
  const members = useMembers(organisation).data ?? [];
  const path = { organisation_id: organisation, group_id: group.id };
  const present = group.users.map((user) => user.id);
  const set = useAct(
    async (wanted: number[]) => {
      const added = wanted.filter((id) => !present.includes(id));
      const gone = present.filter((id) => !wanted.includes(id));
      if (added.length > 0)
        await http.POST("/api/v1/organisations/{organisation_id}/groups/{group_id}/add-users/", {
          params: { path },
          body: { user_ids: added },
        });
      if (gone.length > 0)
        await http.POST("/api/v1/organisations/{organisation_id}/groups/{group_id}/remove-users/", {
          params: { path },
          body: { user_ids: gone },
        });
    },
    { changes: [GROUPS] },
  );
  const remove = useAct(
    () => http.DELETE("/api/v1/organisations/{organisation_id}/groups/{group_id}/", { params: { path } }),
    {
      quiet: true,
      changes: [GROUPS],
      done: "The group is gone.",
    },
  );
  return (
    <Section
      title={group.name}
      description={group.is_default ? "Everybody who joins the organisation is in it." : undefined}
      actions={
        mayManage && (
          <DeleteButton title={`Delete ${group.name}`} name={group.name} onConfirm={remove.mutateAsync}>
            What its members may do because of it, they may not any more.
          </DeleteButton>
        )
      }
    >
      <MultiSelect
        label="Members"
        aria-label={`Members of ${group.name}`}
        searchable
        disabled={!mayManage || set.isPending}
        placeholder={present.length === 0 ? "Nobody yet" : undefined}
        data={members.map((member) => ({ value: String(member.id), label: nameOf(member) }))}
        value={present.map(String)}
        onChange={(values) => set.mutate(values.map(Number))}
      />
    </Section>
  );
}

function Groups() {
  const organisation = Number(Route.useParams().organisation);
  const mayManage = useOrganisationMay(organisation)("MANAGE_USER_GROUPS");
  const [opened, { open, close }] = useDisclosure();
  const query = api.useQuery("get", GROUPS, {
    params: { path: { organisation_id: organisation }, query: ALL },
  });
  const create = mayManage && (
    <Button leftSection={<IconPlus size={16} />} onClick={open}>
      New group
    </Button>
  );
  return (
    <Page
      title="Groups"
      description="People who get permissions, roles and ownership together."
      actions={query.data?.count ? create : undefined}
    >
      <Loaded query={query}>
        {({ results }) =>
          results.length === 0 ? (
            <Empty icon={<IconUsersGroup />} title="No groups yet" action={create}>
              Permissions, roles and ownership can be given to a group at once.
            </Empty>
          ) : (
            results.map((group) => (
              <GroupSection key={group.id} organisation={organisation} group={group} mayManage={mayManage} />
            ))
          )
        }
      </Loaded>
      <Modal opened={opened} onClose={close} title="New group">
        <CreateGroup organisation={organisation} onClose={close} />
      </Modal>
    </Page>
  );
}
