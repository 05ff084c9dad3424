/** What the SDK API answers right now, asked as an SDK asks it. */
import { Badge, Button, Group, Paper, Stack, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { http } from "~/api/client";
import { asValue } from "~/lib/value";
import { Failed } from "./states";
import { Value } from "./value";

interface Answer {
  enabled: boolean;
  feature_state_value: unknown;
}

async function evaluate(key: string, feature: string, identity: string | undefined): Promise<Answer> {
  const headers = { "X-Environment-Key": key };
  if (identity === undefined) {
    const { data } = await http.GET("/api/v1/flags/", { headers, params: { query: { feature } } });
    return data as unknown as Answer;
  }
  const query = { identifier: identity, feature, transient: true } as const;
  const { data } = await http.GET("/api/v1/identities/", { headers, params: { query } as never });
  return data as unknown as Answer;
}

interface LiveEvaluationProps {
  environmentKey: string;
  feature: string;
  identity?: string;
}

export function LiveEvaluation({ environmentKey, feature, identity }: LiveEvaluationProps) {
  const query = useQuery({
    queryKey: ["evaluation", environmentKey, feature, identity],
    queryFn: () => evaluate(environmentKey, feature, identity),
    refetchInterval: 2000,
  });
  if (query.error) return <Failed error={query.error} retry={query.refetch} />;
  const answer = query.data;
  return (
    <Paper p="md" aria-live="polite">
      <Group justify="space-between">
        <Stack gap={2}>
          <Text size="xs" c="dimmed" fw={600}>
            Served right now
          </Text>
          <Group gap="sm">
            <Text className="mono" fw={600}>
              {feature}
            </Text>
            {answer && (
              <Badge color={answer.enabled ? "teal" : "gray"}>{answer.enabled ? "on" : "off"}</Badge>
            )}
            {answer && <Value value={asValue(answer.feature_state_value)} />}
          </Group>
        </Stack>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconRefresh size={14} />}
          onClick={() => query.refetch()}
        >
          Ask again
        </Button>
      </Group>
    </Paper>
  );
}
