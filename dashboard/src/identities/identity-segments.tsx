/** The segments an identity is in. */
import { Badge, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { ALL, api } from "~/api/client";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { usePlace } from "~/shell/place";

export function IdentitySegments({ identity }: { identity: number }) {
  const { project, environment } = usePlace();
  const query = api.useQuery("get", "/api/v1/projects/{project_id}/segments/", {
    params: { path: { project_id: project.id }, query: { ...ALL, identity } },
  });
  return (
    <Section title="Segments" description="Those it is in now.">
      <Loaded query={query} rows={1}>
        {({ results }) =>
          results.length === 0 ? (
            <Text size="sm" c="dimmed">
              None.
            </Text>
          ) : (
            <Group gap="xs">
              {results.map((segment) => (
                <Link
                  key={segment.id}
                  to="/project/$project/environment/$environment/segments/$segment"
                  params={{
                    project: String(project.id),
                    environment: environment.api_key,
                    segment: String(segment.id),
                  }}
                >
                  <Badge color="grape" size="lg" style={{ cursor: "pointer" }}>
                    {segment.name}
                  </Badge>
                </Link>
              ))}
            </Group>
          )
        }
      </Loaded>
    </Section>
  );
}
