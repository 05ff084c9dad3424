/** The value of a condition, in the form its operator asks for. */
import { Checkbox, Group, NumberInput, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { asVersion, type Condition, fromList, isEquality, isVersion, toList, toModulo } from "./rules";

interface ConditionValueProps {
  condition: Condition;
  onChange: (value: string) => void;
  error?: string;
  disabled?: boolean;
  placeholder?: string;
  isNumber?: boolean;
}

function Modulo({ condition, onChange, error, disabled }: ConditionValueProps) {
  const [divisor, remainder] = toModulo(condition.value);
  return (
    <Stack gap={2}>
      <Group gap={6} wrap="nowrap">
        <Text size="sm">by</Text>
        <TextInput
          aria-label="Divisor"
          w={80}
          value={divisor}
          disabled={disabled}
          error={Boolean(error)}
          onChange={(event) => onChange(`${event.currentTarget.value}|${remainder}`)}
        />
        <Text size="sm">the remainder</Text>
        <TextInput
          aria-label="Remainder"
          w={80}
          value={remainder}
          disabled={disabled}
          error={Boolean(error)}
          onChange={(event) => onChange(`${divisor}|${event.currentTarget.value}`)}
        />
      </Group>
      {error && (
        <Text size="xs" c="red">
          {error}
        </Text>
      )}
    </Stack>
  );
}

export function ConditionValue(props: ConditionValueProps) {
  const { condition, onChange, error, disabled, placeholder, isNumber } = props;
  const { operator, value } = condition;
  if (operator === "MODULO") return <Modulo {...props} />;
  if (operator === "PERCENTAGE_SPLIT") {
    return (
      <NumberInput
        aria-label="Share"
        suffix=" %"
        min={0}
        max={100}
        decimalScale={2}
        value={value === "" ? "" : Number(value)}
        onChange={(share) => onChange(String(share))}
        error={error}
        disabled={disabled}
        w={130}
      />
    );
  }
  if (operator === "IN") {
    return (
      <TagsInput
        aria-label="Values"
        placeholder={value === "" ? (placeholder ?? "Type a value, press Enter") : undefined}
        value={toList(value)}
        onChange={(list) => onChange(fromList(list))}
        error={error}
        disabled={disabled}
        splitChars={[]}
        style={{ flex: "1 1 12rem" }}
      />
    );
  }
  return (
    <Group gap="xs" style={{ flex: "1 1 12rem" }} wrap="nowrap" align="flex-start">
      <TextInput
        aria-label="Value"
        placeholder={placeholder ?? "value"}
        inputMode={isNumber ? "decimal" : undefined}
        value={asVersion(value, false)}
        onChange={(event) => onChange(asVersion(event.currentTarget.value, isVersion(value)))}
        error={error}
        disabled={disabled}
        style={{ flex: 1 }}
      />
      {isEquality(operator) && (
        <Checkbox
          mt={8}
          label="version"
          title="Compare as a version: 1.10.0 is more than 1.9.0"
          checked={isVersion(value)}
          disabled={disabled}
          onChange={(event) => onChange(asVersion(value, event.currentTarget.checked))}
        />
      )}
    </Group>
  );
}
