/** Sets up or changes an integration: a form made of its fields. */
import { Button, Group, PasswordInput, Select, Stack, Switch, Text } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { type Configuration, type Owner, save } from "./calls";
import { SlackChannel } from "./slack-channel";
import { BELOW, type Field, type Integration } from "./table";

/** What is typed or switched; `null` for a secret that is to be removed. */
type Value = string | boolean | null;

/** What a field begins with. Secrets begin empty: empty is what leaves them as they are. */
function initial(field: Field, configuration: Configuration | undefined): Value {
  if (field.kind === "secret") return "";
  const value = configuration?.[field.name];
  if (field.kind === "switch") return typeof value === "boolean" ? value : (field.isOn ?? false);
  if (typeof value === "string") return value;
  return field.choices?.[0]?.value ?? "";
}

/** What is sent of a field; `undefined` leaves it as it is. */
export function toSend(field: Field, value: Value, isThere: boolean): Value | undefined {
  if (typeof value === "boolean") return value;
  if (value === null) return "";
  const text = value.trim();
  if (field.kind === "secret") return text === "" && isThere ? undefined : text;
  return field.kind === "address" && text === "" ? null : text;
}

interface FieldInputProps {
  field: Field;
  value: Value;
  onChange: (value: Value) => void;
  error: string | undefined;
  /** Whether a secret is kept. */
  isKept: boolean;
  owner: Owner;
}

function FieldInput({ field, value, onChange, error, isKept, owner }: FieldInputProps) {
  if (typeof value === "boolean") {
    return (
      <Switch
        label={field.label}
        description={field.hint}
        checked={value}
        onChange={(event) => onChange(event.currentTarget.checked)}
        error={error}
      />
    );
  }
  const common = { label: field.label, description: field.hint, error, value: value ?? "" };
  if (field.kind === "channel" && owner.level === "environment") {
    return <SlackChannel environmentKey={owner.environment_key} {...common} onChange={onChange} />;
  }
  if (field.kind === "choice") {
    return (
      <Select
        {...common}
        data={field.choices}
        allowDeselect={false}
        onChange={(next) => onChange(next ?? "")}
      />
    );
  }
  if (field.kind === "secret") {
    return (
      <Stack gap={4} align="stretch">
        <PasswordInput
          {...common}
          required={field.required && !isKept}
          autoComplete="new-password"
          placeholder={value === null ? "Removed once you save" : isKept ? "Kept. Type to replace it" : ""}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
        {isKept && !field.required && value !== null && (
          <Group>
            <Button size="compact-xs" variant="subtle" onClick={() => onChange(null)}>
              Remove it
            </Button>
          </Group>
        )}
      </Stack>
    );
  }
  return (
    <TextField
      {...common}
      type={field.kind === "address" ? "url" : "text"}
      required={field.required}
      placeholder={field.placeholder}
      onChange={onChange}
    />
  );
}

interface IntegrationFormProps {
  owner: Owner;
  integration: Integration;
  configuration: Configuration | undefined;
  onClose: () => void;
}

export function IntegrationForm({ owner, integration, configuration, onClose }: IntegrationFormProps) {
  const isThere = configuration !== undefined;
  const { fields, title } = integration;
  const [values, setValues] = useState<Record<string, Value>>(() =>
    Object.fromEntries(fields.map((field) => [field.name, initial(field, configuration)])),
  );
  const act = useAct(
    () => {
      const sent = fields.map((field) => [field.name, toSend(field, values[field.name] as Value, isThere)]);
      return save(owner, integration, configuration?.id, Object.fromEntries(sent));
    },
    {
      quiet: true,
      changes: [BELOW[owner.level]],
      done: isThere ? `${title} is saved.` : `${title} is set up.`,
      after: onClose,
    },
  );
  const isComplete = fields.every((field) => {
    const isKept = field.kind === "secret" && isThere;
    return !field.required || isKept || String(values[field.name] ?? "").trim() !== "";
  });
  return (
    <Form onSubmit={() => act.mutate()}>
      <Text size="sm" c="dimmed">
        {integration.receives}
      </Text>
      <Refusal error={act.error} fields={fields.map((field) => field.name)} />
      {fields.map((field) => (
        <FieldInput
          key={field.name}
          field={field}
          value={values[field.name] as Value}
          onChange={(value) => setValues({ ...values, [field.name]: value })}
          error={about(act.error, field.name)}
          isKept={Boolean(configuration?.[field.name])}
          owner={owner}
        />
      ))}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={act.isPending} disabled={!isComplete}>
          {isThere ? "Save" : "Set it up"}
        </Button>
      </Group>
    </Form>
  );
}
