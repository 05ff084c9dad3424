/** What a plan would do, or a run did: counts, some of the keys, and why it is held. */
import { Alert, Code, Group, Paper, Stack, Text } from "@mantine/core";
import { IconShieldExclamation } from "@tabler/icons-react";
import { operations, type Run } from "./runs";

interface Count {
  label: string;
  count: number;
  hint?: string;
}

function countsOf({ counts }: Run): Count[] {
  const always = [
    { label: "to add", count: counts.adds },
    { label: "to update", count: counts.updates },
    { label: "to remove", count: counts.removes },
    { label: "unchanged", count: counts.unchanged },
    { label: "rows read", count: counts.rows },
    { label: "known before", count: counts.acknowledged },
  ];
  const exceptions = [
    { label: "can't be sent", count: counts.invalid },
    { label: "twice, differently", count: counts.conflicts },
    { label: "twice, alike", count: counts.duplicates },
  ];
  return [...always, ...exceptions.filter(({ count }) => count > 0)];
}

export function Figure({ label, count }: Count) {
  return (
    <Paper p="sm">
      <Text fz="xl" fw={650} lh={1.2} style={{ fontVariantNumeric: "tabular-nums" }}>
        {count.toLocaleString()}
      </Text>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
    </Paper>
  );
}

const LISTS = [
  { name: "adds", label: "Added", sign: "+" },
  { name: "updates", label: "Updated", sign: "~" },
  { name: "removes", label: "Removed", sign: "−" },
] as const;

function Samples({ run }: { run: Run }) {
  const lists = LISTS.filter(({ name }) => run.samples[name].length > 0);
  if (lists.length === 0) return null;
  return (
    <Stack gap="xs">
      <Text fw={600} size="sm">
        Some of the keys
      </Text>
      {lists.map(({ name, label, sign }) => (
        <Group key={name} gap={6} align="baseline">
          <Text size="sm" c="dimmed" w={70}>
            {label}
          </Text>
          <Group gap={6} style={{ flex: 1 }}>
            {run.samples[name].map((key) => (
              <Code key={key} style={{ overflowWrap: "anywhere" }}>
                {sign} {key}
              </Code>
            ))}
            {run.counts[name] > run.samples[name].length && (
              <Text size="sm" c="dimmed">
                and {(run.counts[name] - run.samples[name].length).toLocaleString()} more
              </Text>
            )}
          </Group>
        </Group>
      ))}
    </Stack>
  );
}

export function Holds({ run }: { run: Run }) {
  if (run.holds.length === 0) return null;
  const would = run.state === "planned";
  return (
    <Alert
      color="orange"
      icon={<IconShieldExclamation />}
      title={
        would
          ? "A run would be held"
          : run.state === "held"
            ? "Held by a guard rail"
            : "Was held by a guard rail"
      }
    >
      <Stack gap={4}>
        {run.holds.map((hold) => (
          <Text key={hold.rail} size="sm">
            {hold.reason}
            {!hold.can_be_approved && " This can't be approved."}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}

export function PlanView({ run }: { run: Run }) {
  const isNothing = run.state === "planned" && operations(run) === 0;
  return (
    <Stack>
      <Holds run={run} />
      {isNothing && <Alert color="teal">The destination is in step already: a run would send nothing.</Alert>}
      <div className="figures">
        {countsOf(run).map((one) => (
          <Figure key={one.label} {...one} />
        ))}
      </div>
      <Samples run={run} />
    </Stack>
  );
}
