/** Who has a state of his own: single identities, before any segment. */
import { Badge, Button, Group, Modal, Stack, Switch, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconUser } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { useEnvironmentMay } from "~/lib/permissions";
import { asValue, type Value } from "~/lib/value";
import { Form } from "~/parts/form";
import { RowActions } from "~/parts/row-actions";
import { Rows } from "~/parts/rows";
import { Empty, Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { Value as ShowValue } from "~/parts/value";
import { ValueEditor } from "~/parts/value-editor";
import { Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { FLAG_PATHS } from "./use-toggle";

type Listed = Schema<"ListedState">;
type Feature = Schema<"FeatureView">;

const SIZE = 20;
const STATES = "/api/v1/environments/{environment_key}/featurestates/";
const IDENTITY = "/api/v1/environments/{environment_key}/identities/";
const CHANGED = [...FLAG_PATHS, STATES, IDENTITY];

async function identityOf(environmentKey: string, identifier: string): Promise<number> {
  const path = { environment_key: environmentKey };
  // In quotes, a search is for exactly this identifier.
  const found = await http.GET("/api/v1/environments/{environment_key}/identities/", {
    params: { path, query: { q: `"${identifier}"`, page_size: 1 } },
  });
  const known = found.data?.results[0];
  if (known) return known.id;
  const made = await http.POST("/api/v1/environments/{environment_key}/identities/", {
    params: { path },
    body: { identifier },
  });
  if (!made.data) throw new Error("The server answered with nothing.");
  return made.data.id;
}

interface FormProps {
  feature: Feature;
  override?: Listed;
  onClose: () => void;
}

function OverrideForm({ feature, override, onClose }: FormProps) {
  const { environment } = usePlace();
  const [identifier, setIdentifier] = useState(override?.identity?.identifier ?? "");
  const [enabled, setEnabled] = useState(override?.enabled ?? true);
  const [value, setValue] = useState<Value>(
    asValue(override ? override.feature_state_value : feature.environment_feature_state?.feature_state_value),
  );
  const key = environment.api_key;
  const save = useAct(
    async () => {
      const body = { feature: feature.id, enabled, feature_state_value: value };
      const identity = override?.identity?.id ?? (await identityOf(key, identifier.trim()));
      const path = { environment_key: key, identity_id: identity };
      if (!override)
        return http.POST("/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/", {
          params: { path },
          body,
        });
      return http.PUT("/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/{id}/", {
        params: { path: { ...path, id: override.id } },
        body,
      });
    },
    { quiet: true, changes: CHANGED, done: "The override is saved.", after: onClose },
  );
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal error={save.error} />
      <TextField
        label="Identifier"
        description="As your programs name the identity. Unknown ones are made."
        required
        disabled={override !== undefined}
        value={identifier}
        onChange={setIdentifier}
      />
      <Switch label="On" checked={enabled} onChange={(event) => setEnabled(event.currentTarget.checked)} />
      <ValueEditor value={value} onChange={setValue} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending} disabled={!identifier.trim()}>
          Save the override
        </Button>
      </Group>
    </Form>
  );
}

export function IdentityOverrides({ feature }: { feature: Feature }) {
  const { project, environment } = usePlace();
  const may = useEnvironmentMay(environment.api_key);
  const [page, setPage] = useState(1);
  const [edited, setEdited] = useState<Listed>();
  const [opened, { open, close }] = useDisclosure();
  const query = api.useQuery("get", STATES, {
    params: {
      path: { environment_key: environment.api_key },
      query: { feature: feature.id, anyIdentity: "true", page, page_size: SIZE },
    },
  });
  const remove = useAct(
    (override: Listed) =>
      http.DELETE("/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/{id}/", {
        params: {
          path: {
            environment_key: environment.api_key,
            identity_id: override.identity?.id ?? 0,
            id: override.id,
          },
        },
      }),
    { changes: CHANGED, done: "The override is gone." },
  );
  const mayEdit = may("MANAGE_IDENTITIES") || may("UPDATE_FEATURE_STATE", feature.tags);
  const edit = (override?: Listed) => {
    setEdited(override);
    open();
  };
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Single identities that get a state of their own, whatever their segments say.
        </Text>
        {mayEdit && (
          <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => edit()}>
            Override for an identity
          </Button>
        )}
      </Group>
      <Loaded query={query} rows={3}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon={<IconUser />} title="No identity is treated apart">
              An override gives one identity another state or value than its segments and everybody get.
            </Empty>
          ) : (
            <Rows
              head={
                <>
                  <Table.Th>Identity</Table.Th>
                  <Table.Th>State</Table.Th>
                  <Table.Th visibleFrom="xs">Value</Table.Th>
                  <Table.Th aria-label="Actions" />
                </>
              }
              pager={{ page, size: SIZE, count, onChange: setPage }}
            >
              {results.map((override) => (
                <Table.Tr key={override.id}>
                  <Table.Td>
                    <Link
                      className="row-link"
                      to="/project/$project/environment/$environment/identities/$identity"
                      params={{
                        project: String(project.id),
                        environment: environment.api_key,
                        identity: String(override.identity?.id),
                      }}
                    >
                      {override.identity?.identifier}
                    </Link>
                  </Table.Td>
                  <Table.Td w={80}>
                    <Badge color={override.enabled ? "teal" : "gray"}>
                      {override.enabled ? "on" : "off"}
                    </Badge>
                  </Table.Td>
                  <Table.Td visibleFrom="xs">
                    <ShowValue value={asValue(override.feature_state_value)} />
                  </Table.Td>
                  <Table.Td w={90}>
                    {mayEdit && (
                      <RowActions
                        edit={{
                          label: `Edit the override for ${override.identity?.identifier}`,
                          act: () => edit(override),
                        }}
                        remove={{
                          label: `Remove the override for ${override.identity?.identifier}`,
                          act: () => remove.mutate(override),
                        }}
                      />
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Rows>
          )
        }
      </Loaded>
      <Modal
        opened={opened}
        onClose={close}
        title={edited ? "Edit the override" : "Override for an identity"}
      >
        <OverrideForm feature={feature} override={edited} onClose={close} />
      </Modal>
    </Stack>
  );
}
