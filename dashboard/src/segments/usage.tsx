/** Where a segment is used: the features that have an override for it, environment by environment. */
import { Badge, Table, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { ALL, api } from "~/api/client";
import { useIsOn } from "~/own-flags/client";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { usePlace } from "~/shell/place";

export function SegmentUsage({ segment }: { segment: number }) {
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
    </Section>
  );
}
