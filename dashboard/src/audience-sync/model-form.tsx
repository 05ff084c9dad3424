/** Makes or edits a model: which rows of a source, and the column that names them. */
import { Button, Group, SegmentedControl, Select, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { contentOf, type SyncObject, useObjects, usePutObject } from "./objects";
import { problemsOf } from "./problems";
import type { ModelContent } from "./sync-content";
import { General, NameInput } from "./variant-form";

type Rows = "sql" | "table" | "file";

interface ModelFormProps {
  organisation: number;
  object?: SyncObject;
  taken: string[];
  /** The source that was chosen already. */
  source?: string;
  onSaved: (object: SyncObject) => unknown;
  onCancel?: () => void;
  /** What leaving the form is called. */
  cancel?: string;
}

const MONO = { input: { fontFamily: "var(--mantine-font-family-monospace)" } };

function RowsInput({
  rows,
  value,
  onChange,
  error,
}: {
  rows: Rows;
  value: string;
  onChange: (text: string) => void;
  error?: string;
}) {
  if (rows === "sql")
    return (
      <Textarea
        label="SQL"
        description="One statement that returns rows."
        placeholder={"select user_id, tier\nfrom customers\nwhere lifetime_value > 1000"}
        required
        autosize
        minRows={4}
        maxRows={20}
        spellCheck={false}
        styles={MONO}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        error={error}
      />
    );
  const isTable = rows === "table";
  return (
    <TextField
      label={isTable ? "Table" : "File"}
      description={
        isTable
          ? "A whole table or view, or schema.table."
          : "CSV, NDJSON or Parquet, in the source's folder."
      }
      placeholder={isTable ? "public.high_value" : "high_value.csv"}
      required
      spellCheck={false}
      value={value}
      onChange={onChange}
      error={error}
    />
  );
}

export function ModelForm({
  organisation,
  object,
  taken,
  source,
  onSaved,
  onCancel,
  cancel = "Cancel",
}: ModelFormProps) {
  const before = object && contentOf<ModelContent>(object);
  const sources = useObjects(organisation, "sources").data?.results ?? [];
  const [name, setName] = useState(object?.name ?? "");
  const [model, setModel] = useState<ModelContent>(before ?? { source: source ?? "", key: "" });
  const [wish, setWish] = useState<Rows>(before?.table ? "table" : "sql");
  const set = (change: Partial<ModelContent>) => setModel((now) => ({ ...now, ...change }));
  const save = usePutObject(organisation, "models", { done: `The model ${name} is saved.`, after: onSaved });

  const from = sources.find((one) => one.name === model.source);
  const rows: Rows = from && contentOf(from).driver === "files" ? "file" : wish;
  const said = model[rows] ?? "";
  const problems = problemsOf(save.error, ["name", "source", "key", "format", rows]);
  const isIncomplete =
    !name || !model.source || !model.key.trim() || !said.trim() || (!object && taken.includes(name));
  return (
    <Form
      onSubmit={() => {
        const content = {
          source: model.source,
          key: model.key.trim(),
          [rows]: said.trim(),
          ...(model.format === "long" && { format: "long" }),
        };
        save.mutate({ name, content });
      }}
    >
      <General problems={problems.general} />
      <NameInput value={name} onChange={setName} isNew={!object} taken={taken} error={problems.fields.name} />
      <Select
        label="Source"
        required
        data={sources.map((one) => one.name)}
        placeholder={sources.length === 0 ? "Make a source first" : "Choose a source"}
        value={model.source || null}
        onChange={(chosen) => set({ source: chosen ?? "" })}
        error={problems.fields.source}
      />
      {rows !== "file" && (
        <SegmentedControl
          aria-label="Which rows"
          style={{ alignSelf: "flex-start" }}
          data={[
            { value: "sql", label: "A statement" },
            { value: "table", label: "A whole table" },
          ]}
          value={rows}
          onChange={(value) => setWish(value as Rows)}
        />
      )}
      <RowsInput
        rows={rows}
        value={said}
        onChange={(text) => set({ [rows]: text })}
        error={problems.fields[rows]}
      />
      <TextInput
        label="Key column"
        description="The column that names the row: a user's identifier, a context's key."
        placeholder="user_id"
        required
        spellCheck={false}
        value={model.key}
        onChange={(event) => set({ key: event.currentTarget.value })}
        error={problems.fields.key}
      />
      <Select
        label="A row is"
        allowDeselect={false}
        data={[
          { value: "wide", label: "One identity, its columns its traits" },
          { value: "long", label: "One trait of an identity (identifier, trait_key, trait_value)" },
        ]}
        value={model.format ?? "wide"}
        onChange={(format) => set({ format: format === "long" ? "long" : "wide" })}
        error={problems.fields.format}
      />
      <Group justify="flex-end" gap="xs">
        {onCancel && (
          <Button variant="default" onClick={onCancel}>
            {cancel}
          </Button>
        )}
        <Button type="submit" loading={save.isPending} disabled={isIncomplete}>
          Save the model
        </Button>
      </Group>
    </Form>
  );
}
