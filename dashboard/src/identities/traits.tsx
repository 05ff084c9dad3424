/** The traits of an identity: what programs told about it. */
import { Button, Group, Modal, SegmentedControl, Select, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http, type Schema } from "~/api/client";
import { Form } from "~/parts/form";
import { RowActions } from "~/parts/row-actions";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { problemOf, TRAIT_KINDS, type TraitKind, textOf, toBody } from "./trait-value";

type Trait = Schema<"TraitView">;

const IDENTITY = "/api/v1/environments/{environment_key}/identities/";
/** A trait may put the identity into other segments, and so change everything it gets. */
const CHANGED = [IDENTITY, "/api/v1/projects/{project_id}/segments/"];

function TraitForm({ identity, trait, onClose }: { identity: number; trait?: Trait; onClose: () => void }) {
  const { environment } = usePlace();
  const [key, setKey] = useState(trait?.trait_key ?? "");
  const [kind, setKind] = useState<TraitKind>(trait?.value_type ?? "unicode");
  const [text, setText] = useState(trait ? textOf(trait) : "");
  const path = { environment_key: environment.api_key, identity_id: identity };
  const body = toBody(key.trim(), kind, text);
  const save = useAct(
    () =>
      trait
        ? http.PUT("/api/v1/environments/{environment_key}/identities/{identity_id}/traits/{id}/", {
            params: { path: { ...path, id: trait.id } },
            body,
          })
        : http.POST("/api/v1/environments/{environment_key}/identities/{identity_id}/traits/", {
            params: { path },
            body,
          }),
    { quiet: true, changes: CHANGED, done: "The trait is saved.", after: onClose },
  );
  const problem = problemOf(kind, text);
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal error={save.error} fields={["trait_key", "string_value"]} />
      <TextField
        label="Trait"
        required
        disabled={trait !== undefined}
        value={key}
        onChange={setKey}
        error={about(save.error, "trait_key")}
      />
      <Select
        label="Kind"
        data={TRAIT_KINDS.map(({ value, label }) => ({ value, label }))}
        value={kind}
        onChange={(value) => {
          setKind((value as TraitKind) ?? "unicode");
          if (value === "bool") setText("true");
        }}
        allowDeselect={false}
      />
      {kind === "bool" ? (
        <SegmentedControl
          aria-label="Value"
          data={["true", "false"]}
          value={text}
          onChange={setText}
          size="sm"
        />
      ) : (
        <TextField
          label="Value"
          value={text}
          onChange={setText}
          error={(text !== "" && problem) || about(save.error, "string_value")}
        />
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending} disabled={!key.trim() || problem !== undefined}>
          Save the trait
        </Button>
      </Group>
    </Form>
  );
}

export function Traits({ identity, mayManage }: { identity: number; mayManage: boolean }) {
  const { environment } = usePlace();
  const [opened, { open, close }] = useDisclosure();
  const [edited, setEdited] = useState<Trait>();
  const path = { environment_key: environment.api_key, identity_id: identity };
  const query = api.useQuery(
    "get",
    "/api/v1/environments/{environment_key}/identities/{identity_id}/traits/",
    {
      params: { path, query: ALL },
    },
  );
  const remove = useAct(
    (trait: Trait) =>
      http.DELETE("/api/v1/environments/{environment_key}/identities/{identity_id}/traits/{id}/", {
        params: { path: { ...path, id: trait.id } },
      }),
    { changes: CHANGED, done: "The trait is gone." },
  );
  const edit = (trait?: Trait) => {
    setEdited(trait);
    open();
  };
  return (
    <Section
      title="Traits"
      description="What your programs told about it. Segments look at them."
      actions={
        mayManage && (
          <Button variant="light" size="xs" leftSection={<IconPlus size={14} />} onClick={() => edit()}>
            Add a trait
          </Button>
        )
      }
    >
      <Loaded query={query} rows={2}>
        {({ results }) =>
          results.length === 0 ? (
            <Text size="sm" c="dimmed">
              None yet.
            </Text>
          ) : (
            <Table layout="fixed">
              <Table.Tbody>
                {results.map((trait) => (
                  <Table.Tr key={trait.id}>
                    <Table.Td fw={600} style={{ overflowWrap: "anywhere" }}>
                      {trait.trait_key}
                    </Table.Td>
                    <Table.Td className="mono">{textOf(trait)}</Table.Td>
                    <Table.Td c="dimmed" visibleFrom="sm">
                      {TRAIT_KINDS.find((kind) => kind.value === trait.value_type)?.label}
                    </Table.Td>
                    <Table.Td w={90}>
                      {mayManage && (
                        <RowActions
                          edit={{ label: `Edit the trait ${trait.trait_key}`, act: () => edit(trait) }}
                          remove={{
                            label: `Delete the trait ${trait.trait_key}`,
                            act: () => remove.mutate(trait),
                          }}
                        />
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )
        }
      </Loaded>
      <Modal opened={opened} onClose={close} title={edited ? "Edit the trait" : "New trait"}>
        <TraitForm identity={identity} trait={edited} onClose={close} />
      </Modal>
    </Section>
  );
}
