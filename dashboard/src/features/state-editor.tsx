/** Edits one state of a flag: on or off, what it says, who gets which variation. */
import { Stack, Switch } from "@mantine/core";
import type { Schema } from "~/api/client";
import { ValueEditor } from "~/parts/value-editor";
import type { State } from "./draft";
import { WeightsEditor } from "./weights-editor";

interface StateEditorProps<S extends State> {
  state: S;
  onChange: (state: S) => void;
  options: Schema<"OptionView">[];
  label: string;
  disabled?: boolean;
}

export function StateEditor<S extends State>({
  state,
  onChange,
  options,
  label,
  disabled,
}: StateEditorProps<S>) {
  return (
    <Stack>
      <Switch
        label={label}
        checked={state.enabled}
        disabled={disabled}
        onChange={(event) => onChange({ ...state, enabled: event.currentTarget.checked })}
      />
      <ValueEditor
        value={state.value}
        onChange={(value) => onChange({ ...state, value })}
        disabled={disabled}
      />
      {options.length > 0 && (
        <WeightsEditor
          options={options}
          control={state.value}
          weights={state.weights}
          onChange={(weights) => onChange({ ...state, weights })}
          disabled={disabled}
        />
      )}
    </Stack>
  );
}
