/** Which of the change requests are looked at: those that wait, those that are done, or what has a time of its own. */
import { SegmentedControl } from "@mantine/core";

export type Show = "open" | "published" | "scheduled";

const CHOICES: { value: Show; label: string }[] = [
  { value: "open", label: "Open" },
  { value: "published", label: "Published" },
  { value: "scheduled", label: "Scheduled" },
];

export function readShow(value: unknown): Show | undefined {
  return CHOICES.slice(1).find((choice) => choice.value === value)?.value;
}

export function ShowControl({ value, onChange }: { value: Show; onChange: (value: Show) => void }) {
  return (
    <SegmentedControl
      aria-label="Which change requests"
      size="sm"
      style={{ alignSelf: "flex-start" }}
      data={CHOICES}
      value={value}
      onChange={(next) => onChange(next as Show)}
    />
  );
}
