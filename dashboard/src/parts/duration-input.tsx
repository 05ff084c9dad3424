/** A length of time: so many minutes, hours or days. */
import { Group, NumberInput, Select } from "@mantine/core";
import { useState } from "react";
import { amountOf, toSeconds, type Unit } from "~/lib/duration";

interface DurationInputProps {
  label: string;
  seconds: number;
  onChange: (seconds: number) => void;
  disabled?: boolean;
}

const UNITS: Unit[] = ["minutes", "hours", "days"];

export function DurationInput({ label, seconds, onChange, disabled }: DurationInputProps) {
  const [unit, setUnit] = useState(() => amountOf(seconds).unit);
  const amount = seconds / toSeconds(1, unit);
  return (
    <Group gap={6} wrap="nowrap">
      <NumberInput
        aria-label={label}
        min={1}
        allowDecimal={false}
        value={amount || ""}
        onChange={(next) => onChange(toSeconds(Number(next) || 0, unit))}
        disabled={disabled}
        w={80}
      />
      <Select
        aria-label={`${label}, in`}
        data={UNITS}
        value={unit}
        onChange={(next) => {
          setUnit(next as Unit);
          onChange(toSeconds(amount, next as Unit));
        }}
        allowDeselect={false}
        disabled={disabled}
        w={110}
      />
    </Group>
  );
}
