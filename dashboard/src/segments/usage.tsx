/** Where a segment is used: the features that have an override for it, and the segments whose rules ask for its list. */
import { Badge, Group, Table, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { ALL, api, type Schema } from "~/api/client";
import { useIsOn } from "~/own-flags/client";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { usePlace } from "~/shell/place";
import { listIn } from "./lists/lists";
import { rulesOf } from "./rules";

function asksFor(segment: Schema<"SegmentView">, list: string): boolean {
  return rulesOf(segment.rules).some((rule) =>
    rule.groups.some((group) => group.conditions.some((one) => listIn(one.property) === list)),
  );
}

function AskedForBy({ list }: { list: string }) {
  const { project, environment } = usePlace();
  const segments = api.useQuery("get", "/api/v1/projects/{project_id}/segments/", {
    params: { path: { project_id: project.id }, query: ALL },
  });
  const asking = (segments.data?.results ?? []).filter((segment) => asksFor(segment, list));
  if (asking.length === 0) return null;
  return (
    <Group gap="xs">
      <Text size="sm">The rules of these segments ask for the list:</Text>
      {asking.map((segment) => (
        <Link
          key={segment.id}
          className="row-link"
          to="/project/$project/environment/$environment/segments/$segment"
          params={{
            project: String(project.id),
            environment: environment.api_key,
            segment: String(segment.id),
          }}
        >
          {segment.name}
        </Link>
      ))}
    </Group>
  );
}

export function SegmentUsage({ segment, list }: { segment: number; list?: string }) {
  const { project, environments } = usePlace();
  const isShown = useIsOn("segment_associated_features");
  const used = api.useQuery("get", "/api/v1/projects/{project_id}/segments/{id}/associated-features/", {
    params: { path: { project_id: project.id, id: segment }, query: ALL },
  });
  const features = api.useQuery("get", "/api/v1/projects/{project_id}/features/", {
    params: { path: { project_id: project.id }, query: ALL },
  });
  if (!isShown) return null;
  const names = new Map(features.data?.results.map((feature) => [feature.id, feature.name]));
  return (
    <Section title="Where it is used" description="Features with an override for this segment.">
      <Loaded query={used} rows={2}>
        {({ results }) =>
          results.length === 0 ? (
            <Text size="sm" c="dimmed">
              Nowhere yet. Add an override on the page of a feature.
            </Text>
          ) : (
            <Table>
              <Table.Tbody>
                {results.map((use) => {
                  const environment = environments.find((one) => one.id === use.environment);
                  return (
                    <Table.Tr key={use.id}>
                      <Table.Td>
                        <Link
                          className="row-link"
                          to="/project/$project/environment/$environment/features/$feature"
                          params={{
                            project: String(project.id),
                            environment: environment?.api_key ?? "",
                            feature: String(use.feature),
                          }}
                          search={{ tab: "segments" }}
                        >
                          {names.get(use.feature) ?? `Feature ${use.feature}`}
                        </Link>
                      </Table.Td>
                      <Table.Td>{environment && <Badge>{environment.name}</Badge>}</Table.Td>
                    </Table.Tr>
                  );
                })}
              </Table.Tbody>
            </Table>
          )
        }
      </Loaded>
      {list !== undefined && <AskedForBy list={list} />}
    </Section>
  );
}
