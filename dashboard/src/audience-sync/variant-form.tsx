/** Makes or edits a source, a destination or a channel: its name, its kind, and what that kind needs. */
import { Alert, Button, Group, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { Form } from "~/parts/form";
import { FieldInput } from "./field-input";
import { asName, type Content, contentOf, ONE, type SyncObject, usePutObject } from "./objects";
import { problemsOf } from "./problems";
import { type Family, missing, tidy, variantOf } from "./variants";

interface VariantFormProps {
  organisation: number;
  family: Family;
  object?: SyncObject;
  /** Names that are given already: writing to one would replace it. */
  taken: string[];
  onSaved: (object: SyncObject) => unknown;
  onCancel?: () => void;
  /** What leaving the form is called. */
  cancel?: string;
}

const START: Content = { instance: "us" };

/** What is wrong elsewhere than in a field. */
export function General({ problems }: { problems: string[] }) {
  if (problems.length === 0) return null;
  return (
    <Alert color="red" role="alert">
      <Stack gap={4}>
        {problems.map((problem) => (
          <Text key={problem} size="sm" style={{ overflowWrap: "anywhere" }}>
            {problem}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}

interface NameInputProps {
  value: string;
  onChange: (name: string) => void;
  isNew: boolean;
  taken: string[];
  error?: string;
}

/** The name by which others refer to it, which stays. */
export function NameInput({ value, onChange, isNew, taken, error }: NameInputProps) {
  return (
    <TextInput
      label="Name"
      description="Others refer to it by this name, so it stays."
      required
      data-autofocus={isNew || undefined}
      disabled={!isNew}
      autoComplete="off"
      spellCheck={false}
      value={value}
      onChange={(event) => onChange(asName(event.currentTarget.value))}
      error={error ?? (isNew && taken.includes(value) && "There is one with this name already.")}
    />
  );
}

export function VariantForm({
  organisation,
  family,
  object,
  taken,
  onSaved,
  onCancel,
  cancel = "Cancel",
}: VariantFormProps) {
  const before = object && contentOf(object);
  const [name, setName] = useState(object?.name ?? "");
  const [content, setContent] = useState<Content>(
    before ?? { ...START, [family.tag]: family.variants[0]?.value },
  );
  const save = usePutObject(organisation, family.kind, {
    done: `The ${ONE[family.kind]} ${name} is saved.`,
    after: onSaved,
  });
  const variant = variantOf(family, content);
  const shown = variant?.fields.filter((field) => field.when?.(content) ?? true) ?? [];
  const problems = problemsOf(save.error, ["name", ...shown.map((field) => field.name)]);
  const isIncomplete = !name || missing(family, content).length > 0 || (!object && taken.includes(name));
  if (!variant)
    return (
      <Alert title="This kind is not for forms">
        It was written in a document. Edit it under “YAML”, or replace it.
      </Alert>
    );
  return (
    <Form onSubmit={() => save.mutate({ name, content: tidy(family, content) })}>
      <General problems={problems.general} />
      <NameInput value={name} onChange={setName} isNew={!object} taken={taken} error={problems.fields.name} />
      <Stack gap={6}>
        <SegmentedControl
          aria-label={family.label}
          size="sm"
          fullWidth
          data={family.variants.map(({ value, label }) => ({ value, label }))}
          value={variant.value}
          onChange={(value) => setContent({ ...content, [family.tag]: value })}
          styles={{ label: { whiteSpace: "normal", paddingInline: 6 } }}
        />
        <Text size="sm" c="dimmed">
          {variant.about}
        </Text>
      </Stack>
      {shown.map((field) => (
        <FieldInput
          key={`${variant.value}.${field.name}`}
          organisation={organisation}
          field={field}
          content={content}
          before={before}
          onChange={(value) => setContent((now) => ({ ...now, [field.name]: value }))}
          error={problems.fields[field.name]}
        />
      ))}
      <Group justify="flex-end" gap="xs">
        {onCancel && (
          <Button variant="default" onClick={onCancel}>
            {cancel}
          </Button>
        )}
        <Button type="submit" loading={save.isPending} disabled={isIncomplete}>
          Save the {ONE[family.kind]}
        </Button>
      </Group>
    </Form>
  );
}
