/** What an organisation has subscribed to, and how much of it is used. */
import { Badge, Group, Progress, Stack, Text } from "@mantine/core";
import { api } from "~/api/client";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import type { Organisation } from "~/shell/place";

function Share({ what, used, most }: { what: string; used: number; most: number }) {
  return (
    <div>
      <Group justify="space-between">
        <Text size="sm">{what}</Text>
        <Text size="sm" c="dimmed">
          {used.toLocaleString()} of {most.toLocaleString()}
        </Text>
      </Group>
      <Progress value={Math.min(100, (used / most) * 100)} aria-label={`${what} used`} />
    </div>
  );
}

export function Billing({ organisation }: { organisation: Organisation }) {
  const params = { path: { organisation_id: organisation.id } };
  const limits = api.useQuery("get", "/api/v1/organisations/{organisation_id}/get-subscription-metadata/", {
    params,
  });
  const calls = api.useQuery("get", "/api/v1/organisations/{organisation_id}/usage-data/total-count/", {
    params,
  });
  return (
    <Section title="Billing" description="This is an installation of your own: there is nothing to pay.">
      <Loaded query={limits} rows={2}>
        {(limits) => (
          <Stack>
            <Group gap="xs">
              <Text size="sm">Plan</Text>
              <Badge>{organisation.subscription.plan}</Badge>
            </Group>
            <Share what="Seats" used={organisation.num_seats} most={limits.max_seats} />
            {calls.data && <Share what="API calls" used={calls.data.count} most={limits.max_api_calls} />}
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}
