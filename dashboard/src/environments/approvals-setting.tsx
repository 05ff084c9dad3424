/** Whether changes need approval, and of how many. */
import { Group, NumberInput, Stack, Switch } from "@mantine/core";
import { useState } from "react";

interface ApprovalsSettingProps {
  what: string;
  value: number | null;
  onChange: (value: number | null) => void;
  disabled: boolean;
}

export function ApprovalsSetting({ what, value, onChange, disabled }: ApprovalsSettingProps) {
  const [count, setCount] = useState(value ?? 1);
  return (
    <Stack gap="xs" data-test="js-change-request-approvals">
      <Switch
        label="Changes need approval"
        description={`${what} change through change requests alone.`}
        checked={value !== null}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked ? count : null)}
      />
      {value !== null && (
        <Group>
          <NumberInput
            label="Approvals needed"
            min={0}
            max={20}
            allowDecimal={false}
            w={160}
            value={count}
            disabled={disabled}
            onChange={(next) => setCount(Number(next) || 0)}
            onBlur={() => count !== value && onChange(count)}
          />
        </Group>
      )}
    </Stack>
  );
}
