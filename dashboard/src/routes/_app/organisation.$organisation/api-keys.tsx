import { Badge, Button, Checkbox, Modal, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus, IconTrash } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http, type Schema } from "~/api/client";
import { Confirm } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { IconButton } from "~/parts/icon-button";
import { Page } from "~/parts/page";
import { Rows } from "~/parts/rows";
import { SecretOnce } from "~/parts/secret";
import { Empty, Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { Time } from "~/parts/time";
import { about, Refusal } from "~/session/refusal";

export const Route = createFileRoute("/_app/organisation/$organisation/api-keys")({ component: ApiKeys });

type ApiKey = Schema<"MasterApiKeyView">;

const KEYS = "/api/v1/organisations/{organisation_id}/master-api-keys/";

function CreateKey({
  organisation,
  onKey,
}: {
  organisation: number;
  onKey: (key: string | undefined) => void;
}) {
  const [name, setName] = useState("");
  const [isAdmin, setAdmin] = useState(true);
  const [expires, setExpires] = useState("");
  const create = useAct(
    () =>
      http.POST(KEYS, {
        params: { path: { organisation_id: organisation } },
        body: {
          name: name.trim(),
          is_admin: isAdmin,
          expiry_date: expires ? new Date(expires).toISOString() : null,
        },
      }),
    { quiet: true, changes: [KEYS], after: (key) => onKey(key.key) },
  );
  return (
    <Form onSubmit={() => create.mutate()}>
      <Refusal error={create.error} fields={["name", "expiry_date"]} />
      <TextField
        label="Name"
        description="Which program uses it"
        required
        data-autofocus
        value={name}
        onChange={setName}
        error={about(create.error, "name")}
      />
      <TextField
        type="date"
        label="Ends"
        description="Empty: never"
        value={expires}
        onChange={setExpires}
        error={about(create.error, "expiry_date")}
      />
      <Checkbox
        label="May do everything in this organisation"
        description="Otherwise it may do what its roles may do."
        checked={isAdmin}
        onChange={(event) => setAdmin(event.currentTarget.checked)}
      />
      <Button type="submit" loading={create.isPending} disabled={!name.trim()}>
        Create the key
      </Button>
    </Form>
  );
}

function ApiKeys() {
  const organisation = Number(Route.useParams().organisation);
  const path = { organisation_id: organisation };
  const [opened, { open, close }] = useDisclosure();
  const [secret, setSecret] = useState<string>();
  const [removed, setRemoved] = useState<ApiKey>();
  const query = api.useQuery("get", KEYS, { params: { path, query: ALL } });
  const remove = useAct(
    (key: ApiKey) =>
      http.DELETE("/api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/", {
        params: { path: { ...path, prefix: key.prefix } },
      }),
    { quiet: true, changes: [KEYS], done: "The key is gone." },
  );
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={open}>
      New key
    </Button>
  );
  return (
    <Page
      title="API keys"
      description="With them programs use the management API, as Terraform does."
      actions={query.data?.count ? create : undefined}
    >
      <Loaded query={query} rows={2}>
        {({ results }) =>
          results.length === 0 ? (
            <Empty icon={<IconKey />} title="No API keys yet" action={create}>
              A key is for a program, such as Terraform or a pipeline, and may do what you give it.
            </Empty>
          ) : (
            <Rows
              head={
                <>
                  <Table.Th>Key</Table.Th>
                  <Table.Th visibleFrom="sm">Made</Table.Th>
                  <Table.Th>May do</Table.Th>
                  <Table.Th aria-label="Actions" />
                </>
              }
            >
              {results.map((key) => (
                <Table.Tr key={key.id}>
                  <Table.Td>
                    <Text fw={600} size="sm">
                      {key.name}
                    </Text>
                    <Text size="xs" className="mono" c="dimmed">
                      {key.prefix}…
                    </Text>
                  </Table.Td>
                  <Table.Td visibleFrom="sm">
                    <Text size="sm" c="dimmed">
                      <Time at={key.created} />
                      {key.expiry_date && (
                        <>
                          , ends <Time at={key.expiry_date} />
                        </>
                      )}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    {key.has_expired && <Badge color="gray">ended</Badge>}
                    {key.is_admin ? (
                      <Badge color="orange">everything</Badge>
                    ) : (
                      <Text size="sm" c="dimmed">
                        what its roles allow
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td w={50}>
                    <IconButton aria-label={`Delete the key ${key.name}`} onClick={() => setRemoved(key)}>
                      <IconTrash size={16} />
                    </IconButton>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Rows>
          )
        }
      </Loaded>
      <Modal opened={opened} onClose={close} title="New API key">
        <CreateKey
          organisation={organisation}
          onKey={(key) => {
            close();
            setSecret(key);
          }}
        />
      </Modal>
      <SecretOnce secret={secret} onClose={() => setSecret(undefined)} title="Your new API key" />
      <Confirm
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Delete the key"
        name={removed?.name}
        onConfirm={async () => removed && remove.mutateAsync(removed)}
      >
        Programs that use it are refused from then on.
      </Confirm>
    </Page>
  );
}
