/** The fields that an act changed, before and after. */
import { Box, Group, Stack, Text } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import type { Schema } from "~/api/client";
import { TextDiff } from "~/parts/text-diff";

function shown(value: unknown): string {
  if (value === null || value === undefined || value === "") return "—";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

function FieldChange({ change }: { change: Schema<"ChangeDetail"> }) {
  const [before, after] = [shown(change.old), shown(change.new)];
  const isLong = before.length > 80 || after.length > 80;
  return (
    <Box>
      <Text size="xs" c="dimmed" fw={600}>
        {change.field.replaceAll("_", " ")}
      </Text>
      {isLong ? (
        <TextDiff before={before} after={after} />
      ) : (
        <Group gap="xs">
          <Text span size="sm" className="mono" td="line-through" c="dimmed">
            {before}
          </Text>
          <IconArrowRight size={14} aria-label="becomes" />
          <Text span size="sm" className="mono" fw={600}>
            {after}
          </Text>
        </Group>
      )}
    </Box>
  );
}

export function FieldChanges({ changes }: { changes: Schema<"ChangeDetail">[] }) {
  if (changes.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        Nothing more is kept about this.
      </Text>
    );
  }
  return (
    <Stack gap="xs">
      {changes.map((change) => (
        <FieldChange key={change.field} change={change} />
      ))}
    </Stack>
  );
}
