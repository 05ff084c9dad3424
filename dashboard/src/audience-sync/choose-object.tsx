/** A step of the guided path: one of the objects that are there, or a new one. */
import { Button, Group, Paper, Radio, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Loaded } from "~/parts/states";
import type { ListedKind } from "./kinds";
import { line, ObjectForm } from "./object-list";
import { contentOf, ONE, type SyncObject, useObjects } from "./objects";

interface ChooseObjectProps {
  organisation: number;
  kind: ListedKind;
  title: string;
  about: ReactNode;
  chosen: string | undefined;
  onChosen: (name: string) => void;
  onBack?: () => void;
  /** Which of them come into question. */
  only?: (object: SyncObject) => boolean;
  /** The source of a new model. */
  source?: string;
}

const NEW = "";

export function ChooseObject({
  organisation,
  kind,
  title,
  about,
  chosen,
  onChosen,
  onBack,
  only = () => true,
  source,
}: ChooseObjectProps) {
  const query = useObjects(organisation, kind);
  const [choice, setChoice] = useState<string | undefined>(chosen);
  return (
    <Stack maw={720}>
      <div>
        <Title order={2}>{title}</Title>
        <Text size="sm" c="dimmed">
          {about}
        </Text>
      </div>
      <Loaded query={query} rows={2}>
        {({ results }) => {
          const offered = results.filter(only);
          const value = choice ?? (offered.length === 0 ? NEW : undefined);
          return (
            <Stack>
              {offered.length > 0 && (
                <Radio.Group aria-label={title} value={value ?? null} onChange={setChoice}>
                  <Stack gap="xs">
                    {offered.map((object) => (
                      <Radio
                        key={object.name}
                        value={object.name}
                        label={object.name}
                        description={line(kind, contentOf(object))}
                        styles={{ description: { overflowWrap: "anywhere" } }}
                      />
                    ))}
                    <Radio value={NEW} label={`A new ${ONE[kind]}`} />
                  </Stack>
                </Radio.Group>
              )}
              {value === NEW && (
                <Paper p="md">
                  <ObjectForm
                    organisation={organisation}
                    kind={kind}
                    source={source}
                    onSaved={(object) => onChosen(object.name)}
                    onCancel={onBack}
                    cancel="Back"
                  />
                </Paper>
              )}
              {value !== NEW && (
                <Group justify="flex-end">
                  {onBack && (
                    <Button variant="default" onClick={onBack}>
                      Back
                    </Button>
                  )}
                  <Button disabled={value === undefined} onClick={() => value && onChosen(value)}>
                    Go on
                  </Button>
                </Group>
              )}
            </Stack>
          );
        }}
      </Loaded>
    </Stack>
  );
}
