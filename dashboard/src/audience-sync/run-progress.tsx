/** How a run is: its state, and how far its delivery is while it goes on. */
import { Alert, Badge, Group, Loader, Progress, Stack, Text, Tooltip } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { isUnderWay, operations, type Run, STATES, type State } from "./runs";

export function StateBadge({ state }: { state: State }) {
  const { label, colour, about } = STATES[state];
  return (
    <Tooltip label={about}>
      <Badge
        color={colour}
        miw="max-content"
        leftSection={isUnderWay({ state }) ? <Loader size={10} color={colour} /> : undefined}
      >
        {label}
      </Badge>
    </Tooltip>
  );
}

function words({ progress }: Run, total: number): string {
  const of = total > 0 ? ` of ${total.toLocaleString()}` : "";
  return [
    `${progress.delivered.toLocaleString()}${of} delivered`,
    `${progress.requests.toLocaleString()} ${progress.requests === 1 ? "request" : "requests"}`,
    progress.rejected > 0 && `${progress.rejected.toLocaleString()} refused`,
    progress.throttled > 0 && `asked to wait ${progress.throttled.toLocaleString()} times`,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** The bar of a run under way, and the sum of one that has ended. */
export function RunProgress({ run }: { run: Run }) {
  const total = operations(run);
  const { delivered, rejected, requests } = run.progress;
  const share = total > 0 ? ((delivered + rejected) * 100) / total : undefined;
  if (isUnderWay(run)) {
    const isSending = requests > 0 || total > 0;
    return (
      <Stack gap={6} aria-live="polite">
        <Progress
          value={share ?? 100}
          animated
          striped={share === undefined}
          size="lg"
          aria-label="Delivered"
        />
        <Text size="sm" c="dimmed">
          {isSending ? words(run, total) : "Reading and comparing rows …"}
        </Text>
      </Stack>
    );
  }
  if (!run.error && requests === 0) return null;
  return (
    <Stack gap="sm">
      {run.error && (
        <Alert
          color={run.state === "failed" ? "red" : "gray"}
          icon={<IconAlertTriangle />}
          title={failed(run)}
        >
          <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
            {run.error}
          </Text>
        </Alert>
      )}
      {requests > 0 && (
        <Group gap="xs">
          <Text size="sm">{words(run, total)}</Text>
        </Group>
      )}
    </Stack>
  );
}

function failed({ state }: Run): string {
  return state === "failed" ? "Why it failed" : STATES[state].about;
}
