/** The sums of a period, with how they compare to the one before. */
import { Paper, SimpleGrid, Text } from "@mantine/core";
import { KINDS, sumOf, type Totals } from "./counts";

function compared(now: number, before: number): string {
  if (before === 0) return now === 0 ? "as before" : "none before";
  const change = Math.round(((now - before) / before) * 100);
  return change === 0 ? "as before" : `${change > 0 ? "+" : "−"}${Math.abs(change)} %`;
}

function Total({ label, now, before }: { label: string; now: number; before: number | undefined }) {
  return (
    <Paper p="md">
      <Text size="xs" c="dimmed" fw={600}>
        {label}
      </Text>
      <Text fz="xl" fw={650} style={{ fontVariantNumeric: "tabular-nums" }}>
        {now.toLocaleString()}
      </Text>
      {before !== undefined && (
        <Text size="xs" c="dimmed" title={`${before.toLocaleString()} in the 30 days before`}>
          {compared(now, before)}
        </Text>
      )}
    </Paper>
  );
}

export function TotalCards({ now, before }: { now: Totals; before: Totals | undefined }) {
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }}>
      <Total label="All requests" now={sumOf(now)} before={before && sumOf(before)} />
      {KINDS.map(({ name, label }) => (
        <Total key={name} label={label} now={now[name]} before={before?.[name]} />
      ))}
    </SimpleGrid>
  );
}
