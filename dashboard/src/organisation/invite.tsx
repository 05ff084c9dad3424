/** Invites people: by address, or by a link that can be passed on. */
import { Alert, Badge, Button, Group, Modal, Select, Stack, Table, TagsInput, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconLink, IconMail, IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http } from "~/api/client";
import { Copy } from "~/parts/copy";
import { Form } from "~/parts/form";
import { IconButton } from "~/parts/icon-button";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { Refusal } from "~/session/refusal";

type Role = "USER" | "ADMIN";

export const ROLES = [
  { value: "USER", label: "Member" },
  { value: "ADMIN", label: "Administrator" },
];

const INVITES = "/api/v1/organisations/{organisation_id}/invites/";
const LINKS = "/api/v1/organisations/{organisation_id}/invite-links/";

function ByMail({ organisation, onDone }: { organisation: number; onDone: () => void }) {
  const [emails, setEmails] = useState<string[]>([]);
  const [role, setRole] = useState<Role>("USER");
  const invite = useAct(
    () =>
      http.POST("/api/v1/organisations/{organisation_id}/invite/", {
        params: { path: { organisation_id: organisation } },
        body: { invites: emails.map((email) => ({ email, role, permission_groups: [] })) },
      }),
    { quiet: true, changes: [INVITES], done: "They are invited.", after: onDone },
  );
  return (
    <Form onSubmit={() => invite.mutate()}>
      <Refusal error={invite.error} />
      <TagsInput
        label="E-mail addresses"
        description="Press Enter after each"
        splitChars={[",", " ", ";"]}
        value={emails}
        onChange={setEmails}
        acceptValueOnBlur
        data-autofocus
      />
      <Select
        label="As"
        data={ROLES}
        value={role}
        onChange={(value) => setRole((value as Role) ?? "USER")}
        allowDeselect={false}
      />
      <Button type="submit" loading={invite.isPending} disabled={emails.length === 0}>
        Invite
      </Button>
    </Form>
  );
}

export function Invitations({ organisation }: { organisation: number }) {
  const path = { organisation_id: organisation };
  const [opened, { open, close }] = useDisclosure();
  const open_ = api.useQuery("get", INVITES, { params: { path, query: ALL } });
  const remove = useAct(
    (invite: number) =>
      http.DELETE("/api/v1/organisations/{organisation_id}/invites/{invite_id}/", {
        params: { path: { ...path, invite_id: invite } },
      }),
    { changes: [INVITES], done: "The invitation is taken back." },
  );
  const copy = useAct(async (invite: number) => {
    const { data } = await http.GET("/api/v1/organisations/{organisation_id}/invites/{invite_id}/link/", {
      params: { path: { ...path, invite_id: invite } },
    });
    await navigator.clipboard.writeText(data?.link ?? "");
    notifications.show({ message: "The link is copied. Give it to the person invited, and to nobody else." });
  });
  return (
    <Section
      title="Invitations"
      description="That were not accepted yet."
      actions={
        <Button leftSection={<IconPlus size={16} />} onClick={open}>
          Invite
        </Button>
      }
    >
      <Loaded query={open_} rows={1}>
        {({ results }) =>
          results.length === 0 ? (
            <Text size="sm" c="dimmed">
              None is open.
            </Text>
          ) : (
            <Table>
              <Table.Tbody>
                {results.map((invite) => (
                  <Table.Tr key={invite.id}>
                    <Table.Td style={{ overflowWrap: "anywhere" }}>{invite.email}</Table.Td>
                    <Table.Td visibleFrom="sm">
                      <Text size="sm" c="dimmed">
                        <Time at={invite.date_created} />
                      </Text>
                    </Table.Td>
                    <Table.Td w={90}>
                      <Group gap={4} wrap="nowrap">
                        <IconButton
                          aria-label={`Copy the link for ${invite.email}`}
                          onClick={() => copy.mutate(invite.id)}
                        >
                          <IconLink size={16} />
                        </IconButton>
                        <IconButton
                          aria-label={`Take back the invitation of ${invite.email}`}
                          onClick={() => remove.mutate(invite.id)}
                        >
                          <IconTrash size={16} />
                        </IconButton>
                      </Group>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )
        }
      </Loaded>
      <Modal opened={opened} onClose={close} title="Invite people">
        <ByMail organisation={organisation} onDone={close} />
      </Modal>
    </Section>
  );
}

export function InviteLinks({ organisation }: { organisation: number }) {
  const path = { organisation_id: organisation };
  const [role, setRole] = useState<Role>("USER");
  const query = api.useQuery("get", LINKS, { params: { path } });
  const create = useAct(() => http.POST(LINKS, { params: { path }, body: { role } }), {
    changes: [LINKS],
    done: "The link is created.",
  });
  const remove = useAct(
    (link: number) =>
      http.DELETE("/api/v1/organisations/{organisation_id}/invite-links/{link_id}/", {
        params: { path: { ...path, link_id: link } },
      }),
    { changes: [LINKS], done: "The link is gone." },
  );
  return (
    <Section title="Links to join" description="Whoever has such a link can join, until it is deleted.">
      <Loaded query={query} rows={1}>
        {(links) => (
          <Stack gap="xs" data-test="invite-link">
            {links.map((link) => (
              <Group key={link.id} justify="space-between" wrap="nowrap">
                <Group gap="xs" wrap="nowrap" style={{ minWidth: 0 }}>
                  <IconMail size={16} aria-hidden />
                  <Text size="sm" className="mono" truncate>
                    {`${location.origin}/invite-link/${link.hash}`}
                  </Text>
                  <Badge color={link.role === "ADMIN" ? "orange" : "blue"}>
                    {link.role === "ADMIN" ? "Administrator" : "Member"}
                  </Badge>
                </Group>
                <Group gap={4} wrap="nowrap">
                  <Copy value={`${location.origin}/invite-link/${link.hash}`} label="Copy the link" />
                  <IconButton aria-label="Delete the link" onClick={() => remove.mutate(link.id)}>
                    <IconTrash size={16} />
                  </IconButton>
                </Group>
              </Group>
            ))}
            {links.some((link) => link.role === "ADMIN") && (
              <Alert color="yellow">
                Whoever has the administrators' link can do everything here. Delete it when it has been used.
              </Alert>
            )}
            <Group>
              <Select
                aria-label="Who joins by it"
                data={ROLES}
                value={role}
                onChange={(value) => setRole((value as Role) ?? "USER")}
                allowDeselect={false}
                w={180}
              />
              <Button variant="light" loading={create.isPending} onClick={() => create.mutate()}>
                New link
              </Button>
            </Group>
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}
