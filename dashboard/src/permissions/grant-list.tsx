/** Who may do what in one place: people and groups to whom something is granted there. */
import { Badge, Button, Group, Modal, Select, Stack, Table, Text } from "@mantine/core";
import { IconUser, IconUsersGroup } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import type { Schema } from "~/api/client";
import { useGroupNames, useMembers } from "~/organisation/members";
import { type Given, PermissionList } from "~/organisation/permission-list";
import { Confirm } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { nameOf } from "~/parts/person";
import { RowActions } from "~/parts/row-actions";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Refusal } from "~/session/refusal";
import type { Grant, Level, Who } from "./grants";

interface GrantListProps {
  title: string;
  description: string;
  organisation: number;
  /** What it is called to be allowed everything here. */
  admin: string;
  all: Schema<"PermissionView">[] | undefined;
  grants: { data: Grant[] | undefined; error: unknown; refetch: () => unknown };
  level: Level;
}

interface EditProps {
  grant: Grant;
  onClose: () => void;
  part: Pick<GrantListProps, "all" | "admin" | "level">;
}

function EditGrant({ grant, onClose, part: { all = [], admin, level } }: EditProps) {
  const [given, setGiven] = useState<Given>(grant.given);
  const save = useAct(() => level.save({ ...grant, given }), {
    quiet: true,
    changes: [level.prefix],
    done: "Saved.",
    after: onClose,
  });
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal error={save.error} />
      <PermissionList all={all} given={given} onChange={setGiven} disabled={save.isPending} admin={admin} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending}>
          Save
        </Button>
      </Group>
    </Form>
  );
}

interface AddProps {
  organisation: number;
  grants: Grant[];
  onChoose: (grant: Grant) => void;
}

function AddGrant({ organisation, grants, onChoose }: AddProps) {
  const members = useMembers(organisation).data ?? [];
  const groups = useGroupNames(organisation).data ?? [];
  const isFree = (who: Who, id: number) => !grants.some((one) => one.who === who && one.grantee === id);
  // Administrators of the organisation may do everything as it is.
  const people = members
    .filter((one) => one.role !== "ADMIN" && isFree("user", one.id))
    .map((one) => ({ value: `user ${one.id}`, label: nameOf(one) }));
  const teams = groups
    .filter((one) => isFree("group", one.id))
    .map((one) => ({ value: `group ${one.id}`, label: one.name }));
  const choose = (value: string | null) => {
    const [who, id] = (value ?? "").split(" ");
    const name = [...people, ...teams].find((one) => one.value === value)?.label;
    if (!name) return;
    const given = { admin: false, permissions: [] };
    onChoose({ who: who as Who, grantee: Number(id), name, given });
  };
  return (
    <Select
      aria-label="Give permissions to"
      placeholder="Give permissions to …"
      searchable
      value={null}
      onChange={choose}
      data={[
        { group: "People", items: people },
        { group: "Groups", items: teams },
      ]}
      nothingFoundMessage="Everybody else administers the organisation"
      maw={320}
    />
  );
}

function What({ given, all = [] }: { given: Given; all: Schema<"PermissionView">[] | undefined }) {
  if (given.admin) return <Badge color="orange">everything</Badge>;
  const known = given.permissions.filter((one) => all.some(({ key }) => key === one.permission_key));
  return (
    <Text size="sm" c="dimmed">
      {known.length} of {all.length}
    </Text>
  );
}

export function GrantList(props: GrantListProps) {
  const { title, description, organisation, all, grants, level } = props;
  const [edited, setEdited] = useState<Grant>();
  const [removed, setRemoved] = useState<Grant>();
  const remove = useAct((grant: Grant) => level.remove(grant), {
    quiet: true,
    changes: [level.prefix],
    done: "It is taken back.",
  });
  return (
    <Section title={title} description={description}>
      <Loaded query={grants} rows={2}>
        {(found) => (
          <Stack>
            {found.length > 0 && (
              <Table>
                <Table.Tbody>
                  {found.map((grant) => (
                    <Table.Tr key={`${grant.who} ${grant.id}`}>
                      <Table.Td>
                        <Group gap="xs" wrap="nowrap">
                          {grant.who === "user" ? (
                            <IconUser size={16} aria-label="Person" style={{ flexShrink: 0 }} />
                          ) : (
                            <IconUsersGroup size={16} aria-label="Group" style={{ flexShrink: 0 }} />
                          )}
                          <Group gap="4px 10px">
                            <Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
                              {grant.name}
                            </Text>
                            <What given={grant.given} all={all} />
                          </Group>
                        </Group>
                      </Table.Td>
                      <Table.Td w={90}>
                        <RowActions
                          edit={{ label: `Edit what ${grant.name} may do`, act: () => setEdited(grant) }}
                          remove={{
                            label: `Take back what ${grant.name} may do`,
                            act: () => setRemoved(grant),
                          }}
                        />
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            )}
            <AddGrant organisation={organisation} grants={found} onChoose={setEdited} />
          </Stack>
        )}
      </Loaded>
      <Modal
        opened={edited !== undefined}
        onClose={() => setEdited(undefined)}
        title={edited ? `What ${edited.name} may do` : ""}
      >
        {edited && <EditGrant grant={edited} onClose={() => setEdited(undefined)} part={props} />}
      </Modal>
      <Confirm
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Take it back"
        action="Take it back"
        onConfirm={async () => removed && remove.mutateAsync(removed)}
      >
        {removed?.name} keeps what is granted through groups and roles.
      </Confirm>
    </Section>
  );
}
