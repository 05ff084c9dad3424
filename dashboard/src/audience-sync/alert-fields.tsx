/** Who is told of a sync's runs, and of what. */
import { Button, Group, Input, NumberInput, Select, Stack, Text } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { IconButton } from "~/parts/icon-button";
import { useObjects } from "./objects";
import type { Alert } from "./sync-content";
import type { PartProps } from "./target-fields";

const OCCASIONS: {
  value: Alert["on"];
  label: string;
  over?: { suffix: string; start: number; label: string };
}[] = [
  { value: "failed", label: "a run failed" },
  { value: "held", label: "a run waits for a decision" },
  {
    value: "rejected_pct",
    label: "too much was refused",
    over: { suffix: " %", start: 1, label: "More than" },
  },
  {
    value: "stale",
    label: "there was no success for long",
    over: { suffix: " minutes", start: 180, label: "Longer than" },
  },
];

export function AlertFields({
  organisation,
  sync,
  onChange,
  problems,
}: PartProps & { organisation: number }) {
  const channels = (useObjects(organisation, "channels").data?.results ?? []).map((one) => one.name);
  const alerts = sync.alerts ?? [];
  const set = (index: number, alert: Alert) =>
    onChange({ alerts: alerts.map((one, at) => (at === index ? alert : one)) });
  if (channels.length === 0)
    return (
      <Text size="sm" c="dimmed">
        There is no channel yet that could be told. Make one under “Channels”: Slack, a webhook or e-mail.
      </Text>
    );
  return (
    <Stack gap="xs">
      {alerts.map((alert, index) => {
        const occasion = OCCASIONS.find((one) => one.value === alert.on);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: alerts have nothing else to tell them apart
          <Group key={index} gap="xs" align="flex-end">
            <Select
              label="When"
              allowDeselect={false}
              w={240}
              data={OCCASIONS.map(({ value, label }) => ({ value, label }))}
              value={alert.on}
              onChange={(value) => {
                const next = OCCASIONS.find((one) => one.value === value);
                if (next) set(index, { on: next.value, over: next.over?.start, to: alert.to });
              }}
            />
            {occasion?.over && (
              <NumberInput
                label={occasion.over.label}
                suffix={occasion.over.suffix}
                min={0}
                w={150}
                value={alert.over}
                onChange={(over) => set(index, { ...alert, over: Number(over) || 0 })}
              />
            )}
            <Select
              label="Tell"
              allowDeselect={false}
              w={180}
              data={channels}
              value={alert.to}
              onChange={(to) => to && set(index, { ...alert, to })}
            />
            <IconButton
              size="lg"
              aria-label={`Remove alert ${index + 1}`}
              onClick={() => onChange({ alerts: alerts.filter((_, at) => at !== index) })}
            >
              <IconTrash size={16} />
            </IconButton>
          </Group>
        );
      })}
      <Button
        variant="subtle"
        size="xs"
        leftSection={<IconPlus size={14} />}
        style={{ alignSelf: "flex-start" }}
        onClick={() => onChange({ alerts: [...alerts, { on: "failed", to: channels[0] ?? "" }] })}
      >
        Add an alert
      </Button>
      {problems.alerts && <Input.Error>{problems.alerts}</Input.Error>}
    </Stack>
  );
}
