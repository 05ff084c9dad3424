/** Asks whose flags to explain: an identifier, and traits laid over those that are stored. */
import { Autocomplete, Button, Group, Select, Text, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { api } from "~/api/client";
import { TRAIT_KINDS, type TraitKind } from "~/identities/trait-value";
import { Form } from "~/parts/form";
import { IconButton } from "~/parts/icon-button";
import { TextField } from "~/parts/text-field";
import { usePlace } from "~/shell/place";
import { emptyRow, type Question, rowProblem, rowsOf, type TraitRow, traitsOf } from "./question";

interface RowProps {
  row: TraitRow;
  traitKeys: string[];
  onChange: (row: TraitRow) => void;
  onRemove: () => void;
}

function Row({ row, traitKeys, onChange, onRemove }: RowProps) {
  const setKind = (kind: TraitKind) => onChange({ ...row, kind, text: kind === "bool" ? "true" : row.text });
  return (
    <Group gap="xs" align="flex-start" data-testid="trait">
      <Autocomplete
        aria-label="Trait"
        placeholder="trait"
        data={traitKeys}
        value={row.name}
        onChange={(name) => onChange({ ...row, name })}
        w={{ base: "100%", sm: 200 }}
      />
      <Select
        aria-label="Kind"
        data={[...TRAIT_KINDS]}
        value={row.kind}
        onChange={(kind) => kind && setKind(kind as TraitKind)}
        allowDeselect={false}
        w={150}
      />
      {row.kind === "bool" ? (
        <Select
          aria-label="Value"
          data={["true", "false"]}
          value={row.text}
          onChange={(text) => onChange({ ...row, text: text ?? "true" })}
          allowDeselect={false}
          style={{ flex: "1 1 8rem" }}
        />
      ) : (
        <TextInput
          aria-label="Value"
          placeholder="value"
          value={row.text}
          onChange={(event) => onChange({ ...row, text: event.currentTarget.value })}
          error={row.text !== "" && rowProblem(row)}
          style={{ flex: "1 1 8rem" }}
        />
      )}
      <IconButton size="lg" aria-label="Remove this trait" onClick={onRemove}>
        <IconX size={16} />
      </IconButton>
    </Group>
  );
}

interface ExplainFormProps {
  question: Question;
  onAsk: (question: Pick<Question, "identifier" | "traits">) => void;
}

export function ExplainForm({ question, onAsk }: ExplainFormProps) {
  const { environment } = usePlace();
  const [identifier, setIdentifier] = useState(question.identifier ?? "");
  const [rows, setRows] = useState(() => rowsOf(question.traits));
  const keys = api.useQuery("get", "/api/v1/environments/{environment_key}/trait-keys/", {
    params: { path: { environment_key: environment.api_key } },
  });
  const asked = { identifier: identifier.trim() || undefined, traits: traitsOf(rows) };
  const isReady = (asked.identifier ?? asked.traits) !== undefined && !rows.some(rowProblem);
  return (
    <Form
      onSubmit={() => {
        if (isReady) onAsk(asked);
      }}
      gap="sm"
    >
      <TextField
        label="Identifier"
        description="As your programs send it. What is stored of it counts; it need not be stored."
        placeholder="user-4711"
        value={identifier}
        onChange={setIdentifier}
        maw={480}
      />
      {rows.length > 0 && (
        <Text size="sm" fw={500}>
          Traits, in place of those that are stored
        </Text>
      )}
      {rows.map((row) => (
        <Row
          key={row.key}
          row={row}
          traitKeys={keys.data?.keys ?? []}
          onChange={(changed) => setRows(rows.map((one) => (one.key === row.key ? changed : one)))}
          onRemove={() => setRows(rows.filter((one) => one.key !== row.key))}
        />
      ))}
      <Group>
        <Button type="submit" disabled={!isReady}>
          Explain
        </Button>
        <Button
          variant="default"
          leftSection={<IconPlus size={16} />}
          onClick={() => setRows([...rows, emptyRow()])}
        >
          Add a trait
        </Button>
      </Group>
    </Form>
  );
}
