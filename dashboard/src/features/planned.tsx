/** What is planned for a feature here: changes that wait for their time. */
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconClock } from "@tabler/icons-react";
import { useAct } from "~/api/act";
import { api, http } from "~/api/client";
import { exactly } from "~/parts/time";
import { usePlace } from "~/shell/place";

const PATH = "/api/v1/environments/{environment_key}/scheduled-changes/";

export function Planned({ feature }: { feature: number }) {
  const { environment } = usePlace();
  const path = { environment_key: environment.api_key };
  const planned = api.useQuery("get", PATH, { params: { path, query: { feature } } }).data?.results ?? [];
  const cancel = useAct(
    (id: number) =>
      http.DELETE("/api/v1/environments/{environment_key}/scheduled-changes/{id}/", {
        params: { path: { ...path, id } },
      }),
    { changes: [PATH], done: "It will not happen." },
  );
  if (planned.length === 0) return null;
  return (
    <Alert icon={<IconClock />} title="Planned">
      <Stack gap="xs">
        {planned.map((change) => (
          <Group key={change.id} justify="space-between">
            <Text size="sm">It changes on {exactly(change.live_from)}.</Text>
            {change.change_request === null && (
              <Button
                size="compact-sm"
                variant="default"
                loading={cancel.isPending}
                onClick={() => cancel.mutate(change.id)}
              >
                Cancel it
              </Button>
            )}
          </Group>
        ))}
      </Stack>
    </Alert>
  );
}
