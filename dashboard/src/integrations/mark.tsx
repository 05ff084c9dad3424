/**
 * The mark of an integration: letters on a ground of its own colour, made here. Two that begin alike are told apart by
 * both, and there is no picture that could be missing.
 */
import { Avatar } from "@mantine/core";
import type { Integration } from "./table";

const MARKS: Partial<Record<Integration["name"], [letters: string, colour: string]>> = {
  slack: ["Sl", "grape"],
  datadog: ["Dd", "violet"],
  "new-relic": ["NR", "teal"],
  grafana: ["Gr", "orange"],
  dynatrace: ["Dy", "cyan"],
  sentry: ["Sy", "pink"],
  amplitude: ["Am", "blue"],
  heap: ["Hp", "red"],
  mixpanel: ["Mp", "indigo"],
  segment: ["Sg", "green"],
  rudderstack: ["Ru", "violet"],
  webhook: ["{ }", "gray"],
  gitlab: ["GL", "orange"],
};

export function Mark({ of: { name, title } }: { of: Integration }) {
  const [letters, color] = MARKS[name] ?? [title.slice(0, 2), "gray"];
  return (
    <Avatar radius="md" size={36} color={color} aria-hidden>
      {letters}
    </Avatar>
  );
}
