/** What is about to change, part by part: before and after side by side. */
import { Badge, Box, Group, Paper, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import { brief } from "~/lib/value";
import { TextDiff } from "~/parts/text-diff";
import type { Change, State } from "./draft";
import { restOf } from "./draft";

interface Names {
  segments: Map<number, string>;
  options: Map<number, string>;
}

interface Line {
  what: string;
  before: string | undefined;
  after: string | undefined;
}

function linesOf(state: State | null, names: Names): Map<string, string> {
  const lines = new Map<string, string>();
  if (!state) return lines;
  lines.set("State", state.enabled ? "on" : "off");
  lines.set("Value", brief(state.value));
  const weights = Object.entries(state.weights);
  for (const [id, weight] of weights)
    lines.set(`Share of ${names.options.get(Number(id)) ?? `variation ${id}`}`, `${weight} %`);
  if (weights.length > 0) lines.set("Share of the value itself", `${restOf(state.weights)} %`);
  return lines;
}

function differences(change: Change, names: Names): Line[] {
  const before = linesOf(change.before, names);
  const after = linesOf(change.after, names);
  const all = [...new Set([...before.keys(), ...after.keys()])];
  const lines = all.map((what) => ({ what, before: before.get(what), after: after.get(what) }));
  if (change.priority) {
    lines.push({
      what: "Priority",
      before: String(change.priority.before),
      after: String(change.priority.after),
    });
  }
  return lines.filter((line) => line.before !== line.after);
}

function Difference({ line: { what, before, after } }: { line: Line }) {
  const isLong = (before ?? "").length > 60 || (after ?? "").length > 60;
  return (
    <Box>
      <Text size="xs" c="dimmed" fw={600}>
        {what}
      </Text>
      {isLong ? (
        <TextDiff before={before ?? ""} after={after ?? ""} />
      ) : (
        <Group gap="xs">
          {before !== undefined && (
            <Text span size="sm" className="mono" td="line-through" c="dimmed">
              {before}
            </Text>
          )}
          {before !== undefined && after !== undefined && <IconArrowRight size={14} aria-label="becomes" />}
          {after !== undefined && (
            <Text span size="sm" className="mono" fw={600}>
              {after}
            </Text>
          )}
        </Group>
      )}
    </Box>
  );
}

function kind(change: Change): { label: string; color: string } {
  if (!change.before) return { label: "new override", color: "teal" };
  if (!change.after) return { label: "override removed", color: "red" };
  return { label: "changed", color: "blue" };
}

export function ChangeList({ changes, names }: { changes: Change[]; names: Names }) {
  return (
    <Stack gap="sm">
      {changes.map((change) => (
        <Paper key={change.segment ?? "default"} p="sm">
          <Group justify="space-between" mb="xs">
            <Text fw={600} size="sm">
              {change.segment === null
                ? "Everybody"
                : (names.segments.get(change.segment) ?? `Segment ${change.segment}`)}
            </Text>
            <Badge color={kind(change).color}>{kind(change).label}</Badge>
          </Group>
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
            {differences(change, names).map((line) => (
              <Difference key={line.what} line={line} />
            ))}
          </SimpleGrid>
        </Paper>
      ))}
    </Stack>
  );
}
