/** The variations of a feature: they belong to the feature, their shares to each environment. */
import { Button, Group, Modal, NumberInput, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { fromTyped, toTyped, type Value } from "~/lib/value";
import { Confirm } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { RowActions } from "~/parts/row-actions";
import { Section } from "~/parts/section";
import { TextField } from "~/parts/text-field";
import { Value as ShowValue } from "~/parts/value";
import { ValueEditor } from "~/parts/value-editor";
import { Refusal } from "~/session/refusal";
import { FLAG_PATHS } from "./use-toggle";

type Feature = Schema<"FeatureView">;
type Option = Schema<"OptionView">;

function OptionForm({
  feature,
  option,
  onClose,
}: {
  feature: Feature;
  option?: Option;
  onClose: () => void;
}) {
  const [value, setValue] = useState<Value>(option ? fromTyped(option) : "");
  const [key, setKey] = useState(option?.key ?? "");
  const [share, setShare] = useState(option?.default_percentage_allocation ?? 0);
  const path = { project_id: feature.project, feature_id: feature.id };
  const body = {
    feature: feature.id,
    ...toTyped(value),
    key: key.trim() || null,
    default_percentage_allocation: share,
  };
  const save = useAct(
    () =>
      option
        ? http.PATCH("/api/v1/projects/{project_id}/features/{feature_id}/mv-options/{option_id}/", {
            params: { path: { ...path, option_id: option.id } },
            body,
          })
        : http.POST("/api/v1/projects/{project_id}/features/{feature_id}/mv-options/", {
            params: { path },
            body,
          }),
    { quiet: true, changes: FLAG_PATHS, done: "The variation is saved.", after: onClose },
  );
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal error={save.error} />
      <ValueEditor value={value} onChange={setValue} description="In every environment." />
      <TextField
        label="Key"
        description="A name that programs and reports can go by. Optional."
        value={key}
        onChange={setKey}
      />
      <NumberInput
        label="First share"
        description="In environments that have no share of their own yet."
        suffix=" %"
        min={0}
        max={100}
        value={share}
        onChange={(next) => setShare(Number(next) || 0)}
      />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending}>
          Save the variation
        </Button>
      </Group>
    </Form>
  );
}

export function OptionsEditor({ feature, mayEdit }: { feature: Feature; mayEdit: boolean }) {
  const [opened, { open, close }] = useDisclosure();
  const [edited, setEdited] = useState<Option>();
  const [removed, setRemoved] = useState<Option>();
  const remove = useAct(
    (option: Option) =>
      http.DELETE("/api/v1/projects/{project_id}/features/{feature_id}/mv-options/{option_id}/", {
        params: { path: { project_id: feature.project, feature_id: feature.id, option_id: option.id } },
      }),
    { quiet: true, changes: FLAG_PATHS, done: "The variation is gone." },
  );
  const edit = (option?: Option) => {
    setEdited(option);
    open();
  };
  return (
    <Section
      title="Variations"
      description="Other values this feature can have. They are the same in every environment; who gets which is not."
      actions={
        mayEdit && (
          <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => edit()}>
            Add a variation
          </Button>
        )
      }
    >
      {feature.multivariate_options.length === 0 ? (
        <Text size="sm" c="dimmed">
          None: everybody gets the value itself. With variations, identities are split among them.
        </Text>
      ) : (
        <Table>
          <Table.Tbody>
            {feature.multivariate_options.map((option) => (
              <Table.Tr key={option.id}>
                <Table.Td>
                  <ShowValue value={fromTyped(option)} />
                </Table.Td>
                <Table.Td c="dimmed">{option.key}</Table.Td>
                <Table.Td w={90}>
                  {mayEdit && (
                    <RowActions
                      edit={{ label: `Edit the variation ${fromTyped(option)}`, act: () => edit(option) }}
                      remove={{
                        label: `Delete the variation ${fromTyped(option)}`,
                        act: () => setRemoved(option),
                      }}
                    />
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <Modal opened={opened} onClose={close} title={edited ? "Edit the variation" : "New variation"}>
        <OptionForm feature={feature} option={edited} onClose={close} />
      </Modal>
      <Confirm
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Delete the variation"
        name={feature.name}
        onConfirm={async () => removed && remove.mutateAsync(removed)}
      >
        Identities that get it fall back to the value itself, in every environment.
      </Confirm>
    </Section>
  );
}
