/** Edits a flag's value: its kind, and text with a check of what it looks like. */
import {
  Badge,
  Button,
  Group,
  Input,
  NumberInput,
  SegmentedControl,
  Stack,
  Text,
  Textarea,
} from "@mantine/core";
import { useEffect, useId, useState } from "react";
import { checkSyntax, type Syntax, tidy } from "~/lib/syntax";
import { convert, type Kind, kindOf, type Value } from "~/lib/value";

interface ValueEditorProps {
  label?: string;
  description?: string;
  value: Value;
  onChange: (value: Value) => void;
  disabled?: boolean;
}

const KINDS: { value: Kind; label: string }[] = [
  { value: "text", label: "Text" },
  { value: "number", label: "Number" },
  { value: "boolean", label: "True or false" },
];

function useSyntax(text: string): Syntax | null {
  const [syntax, setSyntax] = useState<Syntax | null>(null);
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => checkSyntax(text).then((found) => isCurrent && setSyntax(found)), 200);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text]);
  return syntax;
}

function TextValue({
  id,
  value,
  onChange,
  disabled,
}: {
  id: string;
  value: string;
  onChange: (text: string) => void;
  disabled?: boolean;
}) {
  const syntax = useSyntax(value);
  return (
    <Stack gap={6}>
      <Textarea
        id={id}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        disabled={disabled}
        autosize
        minRows={1}
        maxRows={24}
        spellCheck={false}
        placeholder="no value"
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      />
      {syntax && (
        <Group gap="xs">
          <Badge color={syntax.error ? "red" : "teal"}>
            {syntax.error ? `not valid ${syntax.name}` : `valid ${syntax.name}`}
          </Badge>
          {syntax.error && (
            <Text size="xs" c="red" role="status" style={{ flex: 1 }}>
              {syntax.error}
            </Text>
          )}
          {!syntax.error && syntax.name === "JSON" && !disabled && (
            <Button size="compact-xs" variant="subtle" onClick={() => onChange(tidy(value))}>
              Format
            </Button>
          )}
        </Group>
      )}
    </Stack>
  );
}

export function ValueEditor({ label = "Value", description, value, onChange, disabled }: ValueEditorProps) {
  const id = useId();
  const kind = kindOf(value);
  return (
    <Input.Wrapper
      id={id}
      labelElement={kind === "boolean" ? "div" : "label"}
      label={label}
      description={description}
    >
      <Stack gap={8} mt={4}>
        <SegmentedControl
          aria-label={`Kind of ${label.toLowerCase()}`}
          data={KINDS}
          value={kind}
          onChange={(next) => onChange(convert(value, next as Kind))}
          disabled={disabled}
          style={{ alignSelf: "flex-start" }}
        />
        {kind === "text" && (
          <TextValue id={id} value={String(value ?? "")} onChange={onChange} disabled={disabled} />
        )}
        {kind === "number" && (
          <NumberInput
            id={id}
            value={Number(value)}
            onChange={(next) => onChange(Number(next) || 0)}
            disabled={disabled}
            allowDecimal={false}
            min={-(2 ** 31)}
            max={2 ** 31 - 1}
            clampBehavior="strict"
            maw={240}
          />
        )}
        {kind === "boolean" && (
          <SegmentedControl
            aria-label={label}
            size="sm"
            data={["true", "false"]}
            value={String(value)}
            onChange={(next) => onChange(next === "true")}
            disabled={disabled}
            style={{ alignSelf: "flex-start" }}
          />
        )}
      </Stack>
    </Input.Wrapper>
  );
}
