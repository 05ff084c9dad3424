/** Warnings that the organisation came near to the number of requests its operator expects of it. */
import { Alert, Stack, Text } from "@mantine/core";
import { IconGauge } from "@tabler/icons-react";
import { ALL, api } from "~/api/client";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Time } from "~/parts/time";

export function Warnings({ organisation }: { organisation: number }) {
  const query = api.useQuery("get", "/api/v1/organisations/{organisation_id}/api-usage-notification/", {
    params: { path: { organisation_id: organisation }, query: ALL },
  });
  return (
    <Section
      title="Warnings"
      description="Whoever runs this server can set how many requests an organisation makes in 30 days before its administrators are mailed, at 75, 90 and 100 % of them. Nothing is refused."
    >
      <Loaded query={query} rows={1}>
        {({ results }) =>
          results.length === 0 ? (
            <Text size="sm">None within the last 30 days.</Text>
          ) : (
            <Stack gap="xs">
              {results.map((warning) => (
                <Alert
                  key={warning.notified_at}
                  icon={<IconGauge />}
                  color={warning.percent_usage >= 100 ? "red" : "yellow"}
                >
                  {warning.percent_usage} % of the limit reached <Time at={warning.notified_at} />
                </Alert>
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}
