/** Makes or edits a custom field: what it is, which kinds of objects have it, and where it is required. */
import {
  Alert,
  Button,
  Checkbox,
  Group,
  Input,
  MultiSelect,
  Select,
  Stack,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { TypedName } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { about, Refusal } from "~/session/refusal";
import { useProjects } from "~/shell/place";
import { ENTITIES, type Entity, FIELD_PATHS, type Field, type FieldType, TYPES } from "./fields";
import { type Draft, linkOf, type Required, requiredIn, saveField } from "./save-field";

interface FieldFormProps {
  organisation: number;
  /** Where the form stands on the page of a project: its fields are for it alone. */
  project: number | null;
  types: { id: number; model: string }[];
  field?: Field;
  onClose: () => void;
}

const EVERYWHERE = "everywhere";

interface EntityRowProps {
  label: string;
  required: Required | undefined;
  onChange: (required: Required | undefined) => void;
  places: { value: string; label: string }[];
}

function EntityRow({ label, required, onChange, places }: EntityRowProps) {
  return (
    <Stack gap={6}>
      <Checkbox
        label={label}
        checked={required !== undefined}
        onChange={(event) =>
          onChange(event.currentTarget.checked ? { organisation: false, projects: [] } : undefined)
        }
      />
      {required && (
        <MultiSelect
          aria-label={`Where ${label.toLowerCase()} must say something in it`}
          placeholder={required.organisation || required.projects.length > 0 ? undefined : "not required"}
          data={places}
          value={[...(required.organisation ? [EVERYWHERE] : []), ...required.projects.map(String)]}
          onChange={(values) =>
            onChange({
              organisation: values.includes(EVERYWHERE),
              projects: values.filter((value) => value !== EVERYWHERE).map(Number),
            })
          }
          ml={32}
        />
      )}
    </Stack>
  );
}

export function FieldForm({ organisation, project, types, field, onClose }: FieldFormProps) {
  const kinds = { organisation, types };
  const projects = useProjects(organisation).data ?? [];
  const [made, setMade] = useState(field);
  const [typed, setTyped] = useState("");
  const [draft, setDraft] = useState<Draft>(() => ({
    name: field?.name ?? "",
    type: field?.type ?? "str",
    description: field?.description ?? "",
    project: field ? field.project : project,
    entities: Object.fromEntries(
      ENTITIES.flatMap(({ value }) => {
        const link = linkOf(field, kinds, value);
        return link ? [[value, requiredIn(link, kinds)]] : [];
      }),
    ),
  }));
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const save = useAct(() => saveField(draft, kinds, made, setMade), {
    quiet: true,
    changes: FIELD_PATHS,
    done: `${draft.name} is saved.`,
    after: onClose,
  });
  const losing = ENTITIES.filter(({ value }) => linkOf(field, kinds, value) && !draft.entities[value]);
  const places = [
    ...(draft.project === null ? [{ value: EVERYWHERE, label: "required everywhere" }] : []),
    ...projects
      .filter((one) => draft.project === null || one.id === draft.project)
      .map((one) => ({ value: String(one.id), label: `required in ${one.name}` })),
  ];
  const setEntity = (entity: Entity, required: Required | undefined) =>
    set({ entities: { ...draft.entities, [entity]: required } });
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal error={save.error} fields={["name", "type", "description"]} />
      <TextInput
        label="Name"
        required
        data-autofocus
        value={draft.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
        error={about(save.error, "name")}
      />
      <Select
        label="Kind"
        data={TYPES}
        value={draft.type}
        onChange={(value) => value && set({ type: value as FieldType })}
        allowDeselect={false}
        error={about(save.error, "type")}
      />
      <Textarea
        label="Description"
        description="Shown beside the field"
        autosize
        value={draft.description}
        onChange={(event) => set({ description: event.currentTarget.value })}
        error={about(save.error, "description")}
      />
      <Input.Wrapper label="Who has it" labelElement="div">
        <Stack gap="sm" mt={6}>
          {ENTITIES.map(({ value, label }) => (
            <EntityRow
              key={value}
              label={label}
              required={draft.entities[value]}
              onChange={(required) => setEntity(value, required)}
              places={places}
            />
          ))}
        </Stack>
      </Input.Wrapper>
      {losing.length > 0 && field && (
        <Alert color="yellow">
          <Stack gap="xs">
            <Text size="sm">
              What is said in it is lost: {losing.map((one) => one.label.toLowerCase()).join(", ")}.
            </Text>
            <TypedName name={field.name} value={typed} onChange={setTyped} />
          </Stack>
        </Alert>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          type="submit"
          loading={save.isPending}
          disabled={!draft.name.trim() || (losing.length > 0 && typed !== field?.name)}
        >
          {field ? "Save the field" : "Create field"}
        </Button>
      </Group>
    </Form>
  );
}
