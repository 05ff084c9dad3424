/** Which column of the model becomes what at the destination. */
import { Button, Group, Input, Stack, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { IconButton } from "~/parts/icon-button";
import { TextField } from "~/parts/text-field";
import type { ModelContent } from "./sync-content";
import type { PartProps } from "./target-fields";

interface ColumnMapProps extends PartProps {
  keyName: "identifier" | "context_key";
  model: ModelContent | undefined;
}

interface Line {
  id: number;
  name: string;
  column: string;
}

const KEYS = ["identifier", "context_key"];

/** The columns whose defaults a model of one trait a row has. */
const LONG = ["trait_key", "trait_value"];

interface ColumnProps {
  name: string;
  placeholder?: string;
  description?: string;
  required?: boolean;
  value: string;
  onChange: (column: string) => void;
}

function Column({ name, onChange, ...rest }: ColumnProps) {
  return <TextField label={`Column of ${name}`} spellCheck={false} {...rest} onChange={onChange} />;
}

export function ColumnMap({ sync, onChange, problems, keyName, model }: ColumnMapProps) {
  const map = sync.map ?? {};
  const isUpsert = sync.mode === "upsert";
  const isLong = model?.format === "long";
  const [lines, setLines] = useState<Line[]>(() =>
    Object.entries(map)
      .filter(([name]) => !KEYS.includes(name))
      .map(([name, column], id) => ({ id, name, column })),
  );
  const key = map.identifier ?? map.context_key ?? "";

  const tell = (key: string, lines: Line[]) =>
    onChange({
      map: { [keyName]: key, ...Object.fromEntries(lines.map(({ name, column }) => [name, column])) },
    });
  const change = (next: Line[]) => {
    setLines(next);
    tell(key, next);
  };
  const set = (id: number, part: Partial<Line>) =>
    change(lines.map((line) => (line.id === id ? { ...line, ...part } : line)));
  const add = () => change([...lines, { id: Date.now(), name: "", column: "" }]);

  return (
    <Stack gap="xs">
      <Column
        name={keyName}
        description={
          isUpsert
            ? "The column that names the identity."
            : `The column with the key, where it is not the model's${model ? ` (${model.key})` : ""}.`
        }
        placeholder={model?.key}
        required={isUpsert}
        value={key}
        onChange={(column) => tell(column, lines)}
      />
      {isUpsert && isLong && (
        <Group grow>
          {LONG.map((name) => {
            const line = lines.find((one) => one.name === name);
            return (
              <Column
                key={name}
                name={name}
                placeholder={name}
                value={line?.column ?? ""}
                onChange={(column) =>
                  change([
                    ...lines.filter((one) => one.name !== name),
                    { id: line?.id ?? Date.now(), name, column },
                  ])
                }
              />
            );
          })}
        </Group>
      )}
      {isUpsert && !isLong && (
        <Input.Wrapper
          label="Traits"
          labelElement="div"
          description="Each is written from the column beside it."
        >
          <Stack gap="xs" mt={6}>
            {lines.map((line, index) => (
              <Group key={line.id} gap="xs" wrap="nowrap">
                <TextInput
                  aria-label={`Trait ${index + 1}`}
                  placeholder="trait"
                  style={{ flex: 1 }}
                  value={line.name}
                  onChange={(event) => set(line.id, { name: event.currentTarget.value })}
                />
                <TextInput
                  aria-label={`Column of trait ${index + 1}`}
                  placeholder="column"
                  style={{ flex: 1 }}
                  value={line.column}
                  onChange={(event) => set(line.id, { column: event.currentTarget.value })}
                />
                <IconButton
                  aria-label={`Remove trait ${index + 1}`}
                  size="lg"
                  onClick={() => change(lines.filter((one) => one.id !== line.id))}
                >
                  <IconTrash size={16} />
                </IconButton>
              </Group>
            ))}
            <Button
              variant="subtle"
              size="xs"
              leftSection={<IconPlus size={14} />}
              style={{ alignSelf: "flex-start" }}
              onClick={add}
            >
              Add a trait
            </Button>
          </Stack>
        </Input.Wrapper>
      )}
      {problems.map && <Input.Error>{problems.map}</Input.Error>}
    </Stack>
  );
}
