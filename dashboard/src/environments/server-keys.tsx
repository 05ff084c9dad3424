/** Server-side keys: secret, and for SDKs that evaluate by themselves. */
import { Badge, Button, Group, Modal, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { Confirm } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { IconButton } from "~/parts/icon-button";
import { SecretOnce } from "~/parts/secret";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { Time } from "~/parts/time";
import { about, Refusal } from "~/session/refusal";

type ServerKey = Schema<"ServerKeyView">;

const PATH = "/api/v1/environments/{environment_key}/api-keys/";

/** Enough to tell keys apart, too little to use one. */
function masked(key: string): string {
  return key.includes("*") ? key : `${key.slice(0, 7)}…${key.slice(-3)}`;
}

export function ServerKeys({ environmentKey }: { environmentKey: string }) {
  const path = { environment_key: environmentKey };
  const [opened, { open, close }] = useDisclosure();
  const [name, setName] = useState("");
  const [secret, setSecret] = useState<string>();
  const [removed, setRemoved] = useState<ServerKey>();
  const query = api.useQuery("get", PATH, { params: { path } });
  const create = useAct(() => http.POST(PATH, { params: { path }, body: { name: name.trim() } }), {
    quiet: true,
    changes: [PATH],
    after: (key) => {
      close();
      setName("");
      setSecret(key.key);
    },
  });
  const remove = useAct(
    (key: ServerKey) =>
      http.DELETE("/api/v1/environments/{environment_key}/api-keys/{id}/", {
        params: { path: { ...path, id: key.id } },
      }),
    { quiet: true, changes: [PATH], done: "The key is gone." },
  );
  return (
    <Section
      title="Server-side keys"
      description="Secret. With them SDKs fetch the whole environment, rules included, and evaluate by themselves."
      actions={
        <Button variant="light" leftSection={<IconPlus size={16} />} onClick={open}>
          New key
        </Button>
      }
    >
      <Loaded query={query} rows={1}>
        {(keys) =>
          keys.length === 0 ? (
            <Text size="sm" c="dimmed">
              None yet.
            </Text>
          ) : (
            <Table id="server-side-keys-list">
              <Table.Tbody>
                {keys.map((key) => (
                  <Table.Tr key={key.id}>
                    <Table.Td fw={600}>{key.name}</Table.Td>
                    <Table.Td className="mono">{masked(key.key)}</Table.Td>
                    <Table.Td visibleFrom="sm">
                      <Text size="sm" c="dimmed">
                        made <Time at={key.created_at} />
                      </Text>
                    </Table.Td>
                    <Table.Td>{!key.active && <Badge color="gray">inactive</Badge>}</Table.Td>
                    <Table.Td w={50}>
                      <IconButton aria-label={`Delete the key ${key.name}`} onClick={() => setRemoved(key)}>
                        <IconTrash size={16} />
                      </IconButton>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )
        }
      </Loaded>
      <Modal opened={opened} onClose={close} title="New server-side key">
        <Form onSubmit={() => create.mutate()}>
          <Refusal error={create.error} fields={["name"]} />
          <TextField
            label="Name"
            description="Which program uses it"
            required
            data-autofocus
            value={name}
            onChange={setName}
            error={about(create.error, "name")}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={create.isPending} disabled={!name.trim()}>
              Create the key
            </Button>
          </Group>
        </Form>
      </Modal>
      <SecretOnce secret={secret} onClose={() => setSecret(undefined)} title="Your new server-side key" />
      <Confirm
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Delete the key"
        name={removed?.name}
        onConfirm={async () => removed && remove.mutateAsync(removed)}
      >
        Programs that use it are refused from then on.
      </Confirm>
    </Section>
  );
}
