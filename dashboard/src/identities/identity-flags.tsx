/** What an identity gets, feature by feature, and why; each can be overridden for it alone. */
import { Badge, Button, Group, Modal, Switch, Table, Text } from "@mantine/core";
import { IconArrowBackUp, IconPencil } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http, type Schema } from "~/api/client";
import { FeatureLink } from "~/features/feature-row";
import { asValue, type Value } from "~/lib/value";
import { Form } from "~/parts/form";
import { IconButton } from "~/parts/icon-button";
import { SearchInput } from "~/parts/search-input";
import { Section } from "~/parts/section";
import { Empty, Loaded } from "~/parts/states";
import { Value as ShowValue } from "~/parts/value";
import { ValueEditor } from "~/parts/value-editor";
import { Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";

type Effective = Schema<"EffectiveStateView">;

const IDENTITY = "/api/v1/environments/{environment_key}/identities/";
const CHANGED = [
  IDENTITY,
  "/api/v1/environments/{environment_key}/featurestates/",
  "/api/v1/projects/{project_id}/features/",
];

function Why({ state }: { state: Effective }) {
  if (state.overridden_by === "IDENTITY") return <Badge color="cyan">override</Badge>;
  if (state.overridden_by === "SEGMENT")
    return <Badge color="grape">{state.segment?.name ?? "segment"}</Badge>;
  if (state.multivariate_feature_state_values.length > 0) return <Badge color="orange">its share</Badge>;
  return (
    <Text size="xs" c="dimmed">
      as everybody
    </Text>
  );
}

/** Writes and removes overrides of one identity. */
function useOverrides(identity: number) {
  const { environment } = usePlace();
  const path = { environment_key: environment.api_key, identity_id: identity };
  const own = api.useQuery(
    "get",
    "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/",
    {
      params: { path, query: ALL },
    },
  );
  const idOf = (feature: number) => own.data?.results.find((override) => override.feature === feature)?.id;
  const write = (feature: number, enabled: boolean, value: Value) => {
    const body = { feature, enabled, feature_state_value: value };
    const id = idOf(feature);
    return id === undefined
      ? http.POST("/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/", {
          params: { path },
          body,
        })
      : http.PUT("/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/{id}/", {
          params: { path: { ...path, id } },
          body,
        });
  };
  const remove = useAct(
    (feature: number) =>
      http.DELETE("/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/{id}/", {
        params: { path: { ...path, id: idOf(feature) ?? 0 } },
      }),
    { changes: CHANGED, done: "The override is gone." },
  );
  const has = (feature: number) => idOf(feature) !== undefined;
  return { write, remove, has, isReady: own.data !== undefined };
}

interface FormProps {
  state: Effective;
  write: (feature: number, enabled: boolean, value: Value) => Promise<unknown>;
  onClose: () => void;
}

function OverrideForm({ state, write, onClose }: FormProps) {
  const [enabled, setEnabled] = useState(state.enabled);
  const [value, setValue] = useState(asValue(state.feature_state_value));
  const save = useAct(() => write(state.feature.id, enabled, value), {
    quiet: true,
    changes: CHANGED,
    done: `${state.feature.name} is overridden.`,
    after: onClose,
  });
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal error={save.error} />
      <Switch label="On" checked={enabled} onChange={(event) => setEnabled(event.currentTarget.checked)} />
      <ValueEditor value={value} onChange={setValue} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending}>
          Override
        </Button>
      </Group>
    </Form>
  );
}

export function IdentityFlags({ identity, mayManage }: { identity: number; mayManage: boolean }) {
  const { environment } = usePlace();
  const [search, setSearch] = useState("");
  const [edited, setEdited] = useState<Effective>();
  const overrides = useOverrides(identity);
  const query = api.useQuery(
    "get",
    "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/all/",
    {
      params: { path: { environment_key: environment.api_key, identity_id: identity } },
    },
  );
  return (
    <Section
      title="What it gets"
      description="Its own overrides first, then the first segment it is in, then what everybody gets."
    >
      <SearchInput placeholder="Search features" value={search} onSearch={setSearch} maw={320} />
      <Loaded query={query}>
        {(all) => {
          const states = all.filter((state) =>
            state.feature.name.toLowerCase().includes(search.toLowerCase()),
          );
          if (states.length === 0) return <Empty title="Nothing matches" />;
          return (
            <Table>
              <Table.Tbody>
                {states.map((state) => (
                  <Table.Tr key={state.feature.id}>
                    <Table.Td>
                      <FeatureLink feature={state.feature} />
                    </Table.Td>
                    <Table.Td w={70}>
                      <Badge color={state.enabled ? "teal" : "gray"}>{state.enabled ? "on" : "off"}</Badge>
                    </Table.Td>
                    <Table.Td visibleFrom="sm" maw={280}>
                      <ShowValue value={asValue(state.feature_state_value)} />
                    </Table.Td>
                    <Table.Td>
                      <Why state={state} />
                    </Table.Td>
                    <Table.Td w={90}>
                      {mayManage && overrides.isReady && (
                        <Group gap={4} wrap="nowrap" justify="flex-end">
                          {overrides.has(state.feature.id) && (
                            <IconButton
                              aria-label={`Remove the override of ${state.feature.name}`}
                              onClick={() => overrides.remove.mutate(state.feature.id)}
                            >
                              <IconArrowBackUp size={16} />
                            </IconButton>
                          )}
                          <IconButton
                            aria-label={`Override ${state.feature.name}`}
                            onClick={() => setEdited(state)}
                          >
                            <IconPencil size={16} />
                          </IconButton>
                        </Group>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          );
        }}
      </Loaded>
      <Modal
        opened={edited !== undefined}
        onClose={() => setEdited(undefined)}
        title={`Override ${edited?.feature.name}`}
      >
        {edited && (
          <OverrideForm state={edited} write={overrides.write} onClose={() => setEdited(undefined)} />
        )}
      </Modal>
    </Section>
  );
}
