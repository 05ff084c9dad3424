/** What is said of an object in the custom fields that its kind has. */
import { Select, Stack, Textarea } from "@mantine/core";
import { useIsOn } from "~/own-flags/client";
import { TextField } from "~/parts/text-field";
import { useProject } from "~/shell/place";
import {
  type Entity,
  type Field,
  type Link,
  problemOf,
  useContentTypes,
  useFieldsOf,
  type Values,
} from "./fields";

interface MetadataProps {
  project: number;
  entity: Entity;
  values: Values;
  onChange: (values: Values) => void;
  disabled?: boolean;
}

interface ValueProps {
  field: Field;
  value: string;
  onChange: (value: string) => void;
  required: boolean;
  disabled?: boolean;
}

function Value({ field, value, onChange, required, disabled }: ValueProps) {
  const shared = {
    label: field.name,
    description: field.description || undefined,
    required,
    disabled,
    value,
    error: problemOf(field.type, value),
  };
  if (field.type === "bool") {
    return (
      <Select
        {...shared}
        value={value || null}
        data={["true", "false"]}
        clearable={!required}
        clearButtonProps={{ "aria-label": `Say nothing in ${field.name}` }}
        onChange={(next) => onChange(next ?? "")}
        maw={240}
      />
    );
  }
  if (field.type === "multiline_str") {
    return <Textarea {...shared} autosize onChange={(event) => onChange(event.currentTarget.value)} />;
  }
  return (
    <TextField
      {...shared}
      inputMode={field.type === "int" ? "numeric" : field.type === "url" ? "url" : undefined}
      onChange={onChange}
    />
  );
}

/** The custom fields, as parts of the object's form; nothing where it has none, or where they are switched off. */
export function Metadata(props: MetadataProps) {
  return useIsOn("enable_metadata") ? <Fields {...props} /> : null;
}

function Fields({ project, entity, values, onChange, disabled }: MetadataProps) {
  const organisation = useProject(project).data?.organisation;
  const fields = useFieldsOf(project, entity).data?.results ?? [];
  const types = useContentTypes(organisation).data ?? [];
  const id = types.find((type) => type.model === entity)?.id;
  const shown = fields.flatMap((field): { field: Field; link: Link }[] => {
    const link = field.model_fields.find((one) => one.content_type === id);
    return link ? [{ field, link }] : [];
  });
  const isRequired = (link: Link) =>
    link.is_required_for.some((place) => {
      const model = types.find((type) => type.id === place.content_type)?.model;
      return place.object_id === (model === "project" ? project : organisation);
    });
  if (shown.length === 0) return null;
  return (
    <Stack gap="sm">
      {shown.map(({ field, link }) => (
        <Value
          key={link.id}
          field={field}
          value={values[link.id] ?? ""}
          onChange={(value) => onChange({ ...values, [link.id]: value })}
          required={isRequired(link)}
          disabled={disabled}
        />
      ))}
    </Stack>
  );
}
