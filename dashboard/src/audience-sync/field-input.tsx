/** One setting of a source, destination or channel, as its kind of field. */
import { Autocomplete, PasswordInput, Select, Stack, Switch, TagsInput } from "@mantine/core";
import { TextField } from "~/parts/text-field";
import { EnvironmentPicker } from "./environment-picker";
import { type Content, HIDDEN } from "./objects";
import type { Field } from "./variants";

interface FieldInputProps {
  organisation: number;
  field: Field;
  content: Content;
  /** What was there before editing: secrets of it are kept. */
  before?: Content;
  onChange: (value: unknown) => void;
  error?: string;
}

const INSTANCES = [
  { value: "us", label: "US (app.launchdarkly.com)" },
  { value: "eu", label: "EU (app.eu.launchdarkly.com)" },
  { value: "federal", label: "Federal (app.launchdarkly.us)" },
  { value: "", label: "Another address" },
];

/** A named instance, or an address of one. */
function InstanceInput({ field, value, onChange, error }: TextualProps) {
  const isNamed = INSTANCES.some((one) => one.value !== "" && one.value === value.toLowerCase());
  return (
    <Stack gap="xs">
      <Select
        label={field.label}
        data={INSTANCES}
        allowDeselect={false}
        value={isNamed ? value.toLowerCase() : ""}
        onChange={(chosen) => onChange(chosen ?? "us")}
        error={isNamed && error}
      />
      {!isNamed && (
        <TextField
          label="Address of the instance"
          placeholder="https://launchdarkly.example.com"
          required
          value={value}
          onChange={onChange}
          error={error}
        />
      )}
    </Stack>
  );
}

interface TextualProps {
  field: Field;
  value: string;
  onChange: (value: unknown) => void;
  error?: string;
}

/** A secret that is there stays unless another is typed; it is never shown. */
function SecretInput({ field, value, kept, onChange, error }: TextualProps & { kept: boolean }) {
  const isHidden = value === HIDDEN;
  return (
    <PasswordInput
      label={field.label}
      description={field.description}
      placeholder={kept ? "Kept as it is. Type to replace it." : field.placeholder}
      required={field.required && !kept}
      autoComplete="new-password"
      visibilityToggleButtonProps={{ "aria-label": `Show what is typed as ${field.label}`, tabIndex: 0 }}
      value={isHidden ? "" : value}
      onChange={(event) => onChange(event.currentTarget.value || (kept ? HIDDEN : ""))}
      error={error}
    />
  );
}

export function FieldInput({ organisation, field, content, before, onChange, error }: FieldInputProps) {
  const raw = content[field.name];
  const value = typeof raw === "string" ? raw : "";
  const common = { label: field.label, description: field.description, required: field.required, error };
  switch (field.as) {
    case "secret":
      return (
        <SecretInput
          field={field}
          value={value}
          kept={before?.[field.name] === HIDDEN}
          onChange={onChange}
          error={error}
        />
      );
    case "instance":
      return <InstanceInput field={field} value={value} onChange={onChange} error={error} />;
    case "suggested":
      return (
        <Autocomplete
          {...common}
          placeholder={field.placeholder}
          data={field.choices?.map((choice) => choice.value)}
          filter={({ options }) => options}
          value={value}
          onChange={onChange}
        />
      );
    case "choice":
      return (
        <Select
          {...common}
          data={field.choices}
          allowDeselect={false}
          value={value || field.choices?.[0]?.value}
          onChange={onChange}
        />
      );
    case "switch":
      return (
        <Switch
          {...common}
          checked={raw === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case "list":
      return (
        <TagsInput
          {...common}
          value={Array.isArray(raw) ? raw.map(String) : []}
          onChange={onChange}
          splitChars={[",", " ", ";"]}
          placeholder={field.placeholder}
        />
      );
    case "environment":
      return (
        <EnvironmentPicker organisation={organisation} value={value} onChange={onChange} error={error} />
      );
    default:
      return (
        <TextField
          {...common}
          placeholder={field.placeholder}
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={onChange}
        />
      );
  }
}
