import { Badge, Group, Paper, Select, Stack, Switch, Table, Text } from "@mantine/core";
import { IconStack2 } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { ALL, api, type Schema } from "~/api/client";
import { FeatureLink, Overrides } from "~/features/feature-row";
import { asValue } from "~/lib/value";
import { Page } from "~/parts/page";
import { Empty, Loaded } from "~/parts/states";
import { Value } from "~/parts/value";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/compare")({
  validateSearch: (search: Record<string, unknown>): { with?: string; all?: boolean } => ({
    with: typeof search.with === "string" ? search.with : undefined,
    all: search.all === true ? true : undefined,
  }),
  component: Compare,
});

type Feature = Schema<"FeatureView">;

function useFeatures(project: number, environment: number | undefined) {
  return api.useQuery(
    "get",
    "/api/v1/projects/{project_id}/features/",
    {
      params: {
        path: { project_id: project },
        query: { ...ALL, environment, sort_field: "name", sort_direction: "ASC" },
      },
    },
    { enabled: environment !== undefined },
  );
}

function differs(here: Feature, there: Feature | undefined): boolean {
  const [a, b] = [here.environment_feature_state, there?.environment_feature_state];
  return (
    a?.enabled !== b?.enabled ||
    a?.feature_state_value !== b?.feature_state_value ||
    here.num_segment_overrides !== there?.num_segment_overrides
  );
}

function State({ feature }: { feature: Feature | undefined }) {
  const state = feature?.environment_feature_state;
  if (!feature || !state) return <Text c="dimmed">—</Text>;
  return (
    <Group gap={6}>
      <Badge color={state.enabled ? "teal" : "gray"}>{state.enabled ? "on" : "off"}</Badge>
      <Value value={asValue(state.feature_state_value)} />
      <Overrides feature={{ ...feature, num_identity_overrides: 0 }} />
    </Group>
  );
}

function Compare() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const { project, environment, environments } = usePlace();
  const others = environments.filter((one) => one.id !== environment.id);
  const other = others.find((one) => one.api_key === search.with) ?? others[0];
  const here = useFeatures(project.id, environment.id);
  const there = useFeatures(project.id, other?.id);
  return (
    <Page
      title="Compare environments"
      description="What differs between two environments, feature by feature"
    >
      {!other ? (
        <Empty icon={<IconStack2 />} title="There is only one environment">
          Make a second one to compare with.
        </Empty>
      ) : (
        <Stack>
          <Group>
            <Select
              label={`${environment.name} with`}
              data={others.map((one) => ({ value: one.api_key, label: one.name }))}
              value={other.api_key}
              onChange={(key) => navigate({ search: { ...search, with: key ?? undefined }, replace: true })}
              allowDeselect={false}
            />
            <Switch
              mt="lg"
              label="Also what is the same"
              checked={search.all ?? false}
              onChange={(event) =>
                navigate({
                  search: { ...search, all: event.currentTarget.checked || undefined },
                  replace: true,
                })
              }
            />
          </Group>
          <Loaded query={here}>
            {(left) => (
              <Loaded query={there}>
                {(right) => {
                  const byId = new Map(right.results.map((feature) => [feature.id, feature]));
                  const shown = left.results.filter(
                    (feature) => search.all || differs(feature, byId.get(feature.id)),
                  );
                  if (shown.length === 0)
                    return <Empty title="They are the same">Every feature says the same in both.</Empty>;
                  return (
                    <Paper id="compare" style={{ overflowX: "auto" }}>
                      <Table>
                        <Table.Thead>
                          <Table.Tr>
                            <Table.Th>Feature</Table.Th>
                            <Table.Th>{environment.name}</Table.Th>
                            <Table.Th>{other.name}</Table.Th>
                          </Table.Tr>
                        </Table.Thead>
                        <Table.Tbody>
                          {shown.map((feature) => (
                            <Table.Tr key={feature.id}>
                              <Table.Td>
                                <FeatureLink feature={feature} />
                              </Table.Td>
                              <Table.Td>
                                <State feature={feature} />
                              </Table.Td>
                              <Table.Td>
                                <State feature={byId.get(feature.id)} />
                              </Table.Td>
                            </Table.Tr>
                          ))}
                        </Table.Tbody>
                      </Table>
                    </Paper>
                  );
                }}
              </Loaded>
            )}
          </Loaded>
        </Stack>
      )}
    </Page>
  );
}
