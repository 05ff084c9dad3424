import { Accordion, Button, Group, Modal, SimpleGrid, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconShieldCheck } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http, type Schema } from "~/api/client";
import { RoleHolders } from "~/organisation/role-holders";
import { RolePermissions } from "~/organisation/role-permissions";
import { useOwnFlags } from "~/own-flags/client";
import { planHas } from "~/own-flags/gates";
import { DeleteButton } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { Page } from "~/parts/page";
import { Empty, Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { useOrganisations } from "~/shell/place";

export const Route = createFileRoute("/_app/organisation/$organisation/roles")({ component: Roles });

const ROLES = "/api/v1/organisations/{organisation_id}/roles/";

function CreateRole({ organisation, onClose }: { organisation: number; onClose: () => void }) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const create = useAct(
    () =>
      http.POST(ROLES, {
        params: { path: { organisation_id: organisation } },
        body: { name: name.trim(), description },
      }),
    {
      quiet: true,
      changes: [ROLES],
      done: "The role is created.",
      after: onClose,
    },
  );
  return (
    <Form onSubmit={() => create.mutate()}>
      <Refusal error={create.error} fields={["name", "description"]} />
      <TextField
        label="Name"
        required
        data-autofocus
        value={name}
        onChange={setName}
        error={about(create.error, "name")}
      />
      <TextField
        label="Description"
        value={description}
        onChange={setDescription}
        error={about(create.error, "description")}
      />
      <Button type="submit" loading={create.isPending} disabled={!name.trim()}>
        Create role
      </Button>
    </Form>
  );
}

function Role({ organisation, role }: { organisation: number; role: Schema<"RoleView"> }) {
  const path = { organisation_id: organisation, role_id: role.id };
  const remove = useAct(
    () => http.DELETE("/api/v1/organisations/{organisation_id}/roles/{role_id}/", { params: { path } }),
    {
      quiet: true,
      changes: [ROLES],
      done: "The role is gone.",
    },
  );
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <RolePermissions organisation={organisation} role={role.id} />
        <RoleHolders organisation={organisation} role={role.id} />
      </SimpleGrid>
      <Group justify="flex-end">
        <DeleteButton
          label="Delete the role"
          title={`Delete ${role.name}`}
          name={role.name}
          onConfirm={remove.mutateAsync}
        >
          Whoever has it loses what it allows.
        </DeleteButton>
      </Group>
    </Stack>
  );
}

function Roles() {
  const organisation = Number(Route.useParams().organisation);
  const [opened, { open, close }] = useDisclosure();
  const flags = useOwnFlags();
  const { plan } = useOrganisations().data?.results.find(({ id }) => id === organisation)?.subscription ?? {};
  const query = api.useQuery("get", ROLES, {
    params: { path: { organisation_id: organisation }, query: ALL },
  });
  if (plan !== undefined && !planHas("roles", plan, flags))
    return (
      <Empty icon={<IconShieldCheck />} title="Upgrade to have roles">
        The plan of this organisation has none.
      </Empty>
    );
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={open}>
      New role
    </Button>
  );
  return (
    <Page
      title="Roles"
      description="Permissions under one name, for people, groups and API keys."
      actions={query.data?.count ? create : undefined}
    >
      <Loaded query={query}>
        {({ results }) =>
          results.length === 0 ? (
            <Empty icon={<IconShieldCheck />} title="No roles yet" action={create}>
              A role is a bundle of permissions that people, groups and API keys can have.
            </Empty>
          ) : (
            <Accordion variant="separated">
              {results.map((role) => (
                <Accordion.Item key={role.id} value={String(role.id)}>
                  <Accordion.Control>
                    <Text fw={600}>{role.name}</Text>
                    <Text size="sm" c="dimmed">
                      {role.description}
                    </Text>
                  </Accordion.Control>
                  <Accordion.Panel>
                    <Role organisation={organisation} role={role} />
                  </Accordion.Panel>
                </Accordion.Item>
              ))}
            </Accordion>
          )
        }
      </Loaded>
      <Modal opened={opened} onClose={close} title="New role">
        <CreateRole organisation={organisation} onClose={close} />
      </Modal>
    </Page>
  );
}
