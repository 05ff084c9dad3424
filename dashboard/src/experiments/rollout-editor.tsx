/** Says how much of the traffic is in an experiment, and how variants share it. */
import { Group, NumberInput, Stack, Text } from "@mantine/core";
import { controlShare, type Feature, nameOf, type Rollout } from "./rollout";

interface RolloutEditorProps {
  options: Feature["multivariate_options"];
  rollout: Rollout;
  onChange: (rollout: Rollout) => void;
  disabled?: boolean;
}

export function RolloutEditor({ options, rollout, onChange, disabled }: RolloutEditorProps) {
  const rest = controlShare(rollout);
  const share = { suffix: " %", min: 0, max: 100, w: 130, disabled };
  return (
    <Stack gap="sm">
      <NumberInput
        {...share}
        w={200}
        label="Part of the traffic"
        value={rollout.traffic}
        onChange={(next) => onChange({ ...rollout, traffic: Number(next) || 0 })}
      />
      <Group gap="sm" align="flex-end">
        {options.map((option) => (
          <NumberInput
            {...share}
            key={option.id}
            label={nameOf(option)}
            value={rollout.shares[option.id] ?? 0}
            onChange={(next) =>
              onChange({ ...rollout, shares: { ...rollout.shares, [option.id]: Number(next) || 0 } })
            }
          />
        ))}
      </Group>
      <Text size="sm" c={rest < 0 ? "red" : "dimmed"}>
        {rest < 0 ? "More than 100 % is given away." : `The control, what everybody gets: ${rest} %`}
      </Text>
    </Stack>
  );
}
