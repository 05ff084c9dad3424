/** One stage of a pipeline that is drawn up. */
import { Box, Button, Group, SegmentedControl, Select, Text, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from "@tabler/icons-react";
import { DurationInput } from "~/parts/duration-input";
import { IconButton } from "~/parts/icon-button";
import { Section } from "~/parts/section";
import { usePlace } from "~/shell/place";
import { ActionEditor } from "./action-editor";
import { type Action, newAction, problemOf, type Stage } from "./draft";

interface StageEditorProps {
  stage: Stage;
  number: number;
  of: number;
  onChange: (stage: Stage) => void;
  onRemove: () => void;
  onMove: (by: -1 | 1) => void;
  segments: { id: number; name: string }[];
  showProblems: boolean;
  disabled: boolean;
}

export function StageEditor(props: StageEditorProps) {
  const { stage, number, of, onChange, onRemove, onMove, segments, showProblems, disabled } = props;
  const { environments } = usePlace();
  const problem = showProblems ? problemOf(stage) : undefined;
  const setAction = (changed: Action) =>
    onChange({ ...stage, actions: stage.actions.map((one) => (one.key === changed.key ? changed : one)) });
  return (
    <Section
      title={`Stage ${number}`}
      actions={
        !disabled && (
          <Group gap={4}>
            <IconButton
              aria-label={`Move stage ${number} up`}
              onClick={() => onMove(-1)}
              disabled={number === 1}
            >
              <IconArrowUp size={16} />
            </IconButton>
            <IconButton
              aria-label={`Move stage ${number} down`}
              onClick={() => onMove(1)}
              disabled={number === of}
            >
              <IconArrowDown size={16} />
            </IconButton>
            <IconButton aria-label={`Remove stage ${number}`} onClick={onRemove}>
              <IconTrash size={16} />
            </IconButton>
          </Group>
        )
      }
    >
      <Group align="flex-end" gap="sm">
        <TextInput
          label="Name of the stage"
          value={stage.name}
          onChange={(event) => onChange({ ...stage, name: event.currentTarget.value })}
          disabled={disabled}
          style={{ flex: "1 1 12rem" }}
        />
        <Select
          label="Environment"
          data={environments.map((one) => ({ value: String(one.id), label: one.name }))}
          value={String(stage.environment)}
          onChange={(id) => id && onChange({ ...stage, environment: Number(id) })}
          allowDeselect={false}
          disabled={disabled}
          style={{ flex: "1 1 12rem" }}
        />
      </Group>
      <Group gap="sm">
        <SegmentedControl
          aria-label="When it acts"
          size="sm"
          data={[
            { value: "enter", label: "At once" },
            { value: "wait", label: "After a while" },
          ]}
          value={stage.wait > 0 ? "wait" : "enter"}
          onChange={(next) => onChange({ ...stage, wait: next === "wait" ? 86_400 : 0 })}
          disabled={disabled}
        />
        {stage.wait > 0 && (
          <DurationInput
            label="How long it waits"
            seconds={stage.wait}
            onChange={(wait) => onChange({ ...stage, wait: Math.max(wait, 60) })}
            disabled={disabled}
          />
        )}
      </Group>
      {stage.actions.map((action) => (
        <ActionEditor
          key={action.key}
          action={action}
          onChange={setAction}
          onRemove={() =>
            onChange({ ...stage, actions: stage.actions.filter((one) => one.key !== action.key) })
          }
          segments={segments}
          disabled={disabled}
        />
      ))}
      {stage.actions.length === 0 && (
        <Text size="sm" c="dimmed">
          It does nothing: features only pass through it.
        </Text>
      )}
      {problem && (
        <Text size="sm" c="red" role="alert">
          {problem}
        </Text>
      )}
      {!disabled && (
        <Box>
          <Button
            variant="subtle"
            size="xs"
            leftSection={<IconPlus size={14} />}
            onClick={() => onChange({ ...stage, actions: [...stage.actions, newAction()] })}
          >
            Add an action
          </Button>
        </Box>
      )}
    </Section>
  );
}
