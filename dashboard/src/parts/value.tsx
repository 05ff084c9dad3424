/** A flag's value on one line. */
import { Badge, Text } from "@mantine/core";
import { type Value as FlagValue, kindOf } from "~/lib/value";

export function Value({ value }: { value: FlagValue }) {
  if (value === null || value === "") {
    return (
      <Text span size="sm" c="dimmed">
        no value
      </Text>
    );
  }
  if (kindOf(value) === "boolean") return <Badge color={value ? "teal" : "gray"}>{String(value)}</Badge>;
  return (
    <Text span className="mono" lineClamp={2} style={{ wordBreak: "break-word" }}>
      {String(value)}
    </Text>
  );
}
