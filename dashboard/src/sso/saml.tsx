/** The SAML identity providers of an organisation. */
import { Accordion, Badge, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBuildingFortress, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http } from "~/api/client";
import { DeleteButton } from "~/parts/confirm";
import { Copyable } from "~/parts/copy";
import { Section } from "~/parts/section";
import { Empty, Loaded } from "~/parts/states";
import { AttributeMappings } from "./attribute-mappings";
import { SAML, type Saml, SamlForm } from "./saml-form";

function Address({ label, path }: { label: string; path: string }) {
  const value = `${location.origin}${path}`;
  return (
    <Stack gap={2}>
      <Text size="sm" fw={600}>
        {label}
      </Text>
      <Copyable value={value} label={`Copy: ${label}`} />
    </Stack>
  );
}

function Provider({ saml, onEdit }: { saml: Saml; onEdit: () => void }) {
  const base = `/api/v1/auth/saml/${encodeURIComponent(saml.name)}`;
  const remove = useAct(
    () => http.DELETE("/api/v1/auth/saml/configuration/{name}/", { params: { path: { name: saml.name } } }),
    { quiet: true, changes: [SAML], done: `${saml.name} is gone.` },
  );
  return (
    <Stack>
      <Address label="Metadata of this installation, and its entity id" path={`${base}/metadata/`} />
      <Address label="Assertion consumer service (ACS)" path={`${base}/response/`} />
      <AttributeMappings saml={saml.id} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onEdit}>
          Edit
        </Button>
        <DeleteButton title={`Delete ${saml.name}`} name={saml.name} onConfirm={remove.mutateAsync}>
          Nobody signs in through it any more. Accounts stay; who has no password can set one by mail.
        </DeleteButton>
      </Group>
    </Stack>
  );
}

export function SamlProviders({ organisation }: { organisation: number }) {
  const query = api.useQuery("get", SAML, { params: { query: { organisation, ...ALL } } });
  const [opened, { open, close }] = useDisclosure();
  const [edited, setEdited] = useState<Saml>();
  const edit = (saml?: Saml) => {
    setEdited(saml);
    open();
  };
  return (
    <Section
      title="SAML"
      description="Members sign in at your identity provider, and are members from then on."
      actions={
        <Button variant="light" size="xs" leftSection={<IconPlus size={14} />} onClick={() => edit()}>
          New provider
        </Button>
      }
    >
      <Loaded query={query} rows={1}>
        {({ results }) =>
          results.length === 0 ? (
            <Empty icon={<IconBuildingFortress />} title="No SAML provider yet" />
          ) : (
            <Accordion variant="separated" defaultValue={results.length === 1 ? results[0]?.name : undefined}>
              {results.map((saml) => (
                <Accordion.Item key={saml.id} value={saml.name}>
                  <Accordion.Control>
                    <Group gap="xs">
                      <Text fw={600}>{saml.name}</Text>
                      {!saml.idp_metadata_xml && <Badge color="yellow">waits for its metadata</Badge>}
                      {saml.allow_idp_initiated && <Badge color="gray">sign-ins may begin there</Badge>}
                    </Group>
                  </Accordion.Control>
                  <Accordion.Panel>
                    <Provider saml={saml} onEdit={() => edit(saml)} />
                  </Accordion.Panel>
                </Accordion.Item>
              ))}
            </Accordion>
          )
        }
      </Loaded>
      <Modal
        opened={opened}
        onClose={close}
        title={edited ? `Edit ${edited.name}` : "New SAML provider"}
        size="lg"
      >
        <SamlForm organisation={organisation} saml={edited} onClose={close} />
      </Modal>
    </Section>
  );
}
