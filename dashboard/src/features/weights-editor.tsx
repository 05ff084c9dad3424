/** How the identities are split among the variations: a bar that is always a hundred per cent. */
import { Box, Group, NumberInput, Progress, Stack, Text } from "@mantine/core";
import type { Schema } from "~/api/client";
import { brief, fromTyped, type Value } from "~/lib/value";
import { restOf } from "./draft";

const COLOURS = ["orange.4", "grape.3", "cyan.4", "lime.4", "pink.3", "indigo.3", "yellow.4", "teal.4"];

interface WeightsEditorProps {
  options: Schema<"OptionView">[];
  /** What everybody gets who gets no variation. */
  control: Value;
  weights: Record<number, number>;
  onChange: (weights: Record<number, number>) => void;
  disabled?: boolean;
}

export function WeightsEditor({ options, control, weights, onChange, disabled }: WeightsEditorProps) {
  const rest = restOf(weights);
  const colour = (index: number) => COLOURS[index % COLOURS.length] ?? "gray.4";
  return (
    <Stack gap="sm">
      <Progress.Root size={22} aria-hidden>
        {rest > 0 && (
          <Progress.Section value={rest} color="gray.4">
            <Progress.Label c="black">{rest} %</Progress.Label>
          </Progress.Section>
        )}
        {options.map((option, index) => (
          <Progress.Section key={option.id} value={weights[option.id] ?? 0} color={colour(index)}>
            <Progress.Label c="black">{weights[option.id] ?? 0} %</Progress.Label>
          </Progress.Section>
        ))}
      </Progress.Root>
      <Group justify="space-between" wrap="nowrap">
        <Group gap="xs" wrap="nowrap" style={{ minWidth: 0 }}>
          <Box w={12} h={12} bg="gray.4" style={{ borderRadius: 3, flexShrink: 0 }} />
          <Text size="sm" className="mono" truncate>
            {brief(control)}
          </Text>
          <Text size="xs" c="dimmed">
            the value itself
          </Text>
        </Group>
        <Text size="sm" fw={600} c={rest < 0 ? "red" : undefined} role={rest < 0 ? "alert" : undefined}>
          {rest < 0 ? `${-rest} % too much` : `${rest} %`}
        </Text>
      </Group>
      {options.map((option, index) => (
        <Group key={option.id} justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap" style={{ minWidth: 0 }}>
            <Box w={12} h={12} bg={colour(index)} style={{ borderRadius: 3, flexShrink: 0 }} />
            <Text size="sm" className="mono" truncate>
              {brief(fromTyped(option))}
            </Text>
            {option.key && (
              <Text size="xs" c="dimmed">
                {option.key}
              </Text>
            )}
          </Group>
          <NumberInput
            aria-label={`Share of ${brief(fromTyped(option))}`}
            value={weights[option.id] ?? 0}
            onChange={(share) => onChange({ ...weights, [option.id]: Number(share) || 0 })}
            min={0}
            max={100}
            decimalScale={2}
            suffix=" %"
            w={110}
            disabled={disabled}
          />
        </Group>
      ))}
    </Stack>
  );
}
