/** One thing that a stage does to a feature. */
import { Group, NumberInput, Paper, SegmentedControl, Select, Stack, Text } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { DurationInput } from "~/parts/duration-input";
import { IconButton } from "~/parts/icon-button";
import { ValueEditor } from "~/parts/value-editor";
import { ACTIONS, type Action, type ActionKind, needsSegment } from "./draft";

interface ActionEditorProps {
  action: Action;
  onChange: (action: Action) => void;
  onRemove: () => void;
  segments: { id: number; name: string }[];
  disabled: boolean;
}

function Rollout({
  action,
  onChange,
  disabled,
}: Pick<ActionEditorProps, "action" | "onChange" | "disabled">) {
  const share = (label: string, name: "initialShare" | "increaseBy") => (
    <NumberInput
      aria-label={label}
      suffix=" %"
      min={0}
      max={100}
      w={90}
      value={action[name]}
      onChange={(next) => onChange({ ...action, [name]: Number(next) || 0 })}
      disabled={disabled}
    />
  );
  return (
    <Group gap="xs">
      <Text size="sm">on for</Text>
      {share("Share at first", "initialShare")}
      <Text size="sm">then for</Text>
      {share("Share that is added", "increaseBy")}
      <Text size="sm">more every</Text>
      <DurationInput
        label="How often"
        seconds={action.increaseEvery}
        onChange={(increaseEvery) => onChange({ ...action, increaseEvery })}
        disabled={disabled}
      />
    </Group>
  );
}

export function ActionEditor({ action, onChange, onRemove, segments, disabled }: ActionEditorProps) {
  return (
    <Paper p="md" bg="var(--burgee-ground)" data-testid="action">
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap">
          <Select
            aria-label="What it does"
            data={ACTIONS}
            value={action.kind}
            onChange={(kind) => kind && onChange({ ...action, kind: kind as ActionKind })}
            allowDeselect={false}
            disabled={disabled}
            style={{ flex: "1 1 14rem" }}
            maw={320}
          />
          <IconButton aria-label="Remove this action" onClick={onRemove} disabled={disabled}>
            <IconTrash size={16} />
          </IconButton>
        </Group>
        {needsSegment(action.kind) && (
          <Select
            aria-label="Segment"
            placeholder="For which segment?"
            data={segments.map((one) => ({ value: String(one.id), label: one.name }))}
            value={action.segment === null ? null : String(action.segment)}
            onChange={(id) => onChange({ ...action, segment: id === null ? null : Number(id) })}
            searchable
            disabled={disabled}
            maw={320}
          />
        )}
        {action.kind.startsWith("TOGGLE") && (
          <SegmentedControl
            aria-label="On or off"
            size="sm"
            data={[
              { value: "on", label: "On" },
              { value: "off", label: "Off" },
            ]}
            value={action.enabled ? "on" : "off"}
            onChange={(next) => onChange({ ...action, enabled: next === "on" })}
            disabled={disabled}
            style={{ alignSelf: "flex-start" }}
          />
        )}
        {action.kind.startsWith("UPDATE") && (
          <ValueEditor
            value={action.value}
            onChange={(value) => onChange({ ...action, value })}
            disabled={disabled}
          />
        )}
        {action.kind === "PHASED_ROLLOUT" && (
          <Rollout action={action} onChange={onChange} disabled={disabled} />
        )}
      </Stack>
    </Paper>
  );
}
