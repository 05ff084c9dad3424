/** The custom fields there are, of an organisation or as one project has them. */
import { Badge, Button, Group, Modal, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconForms, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http } from "~/api/client";
import { Confirm } from "~/parts/confirm";
import { Page } from "~/parts/page";
import { RowActions } from "~/parts/row-actions";
import { Section } from "~/parts/section";
import { Empty, Loaded } from "~/parts/states";
import { useProjects } from "~/shell/place";
import { FieldForm } from "./field-form";
import { ENTITIES, FIELD_PATHS, type Field, TYPES, useContentTypes } from "./fields";
import { linkOf, requiredIn } from "./save-field";

interface CustomFieldsProps {
  organisation: number;
  project: number | null;
  mayManage: boolean;
}

function useFields(organisation: number, project: number | null) {
  const all = api.useQuery(
    "get",
    "/api/v1/metadata/fields/",
    { params: { query: { organisation, ...ALL } } },
    { enabled: project === null },
  );
  const own = api.useQuery(
    "get",
    "/api/v1/projects/{project_id}/metadata/fields/",
    { params: { path: { project_id: project ?? 0 }, query: { ...ALL, include_organisation: true } } },
    { enabled: project !== null },
  );
  return project === null ? all : own;
}

interface RowProps {
  field: Field;
  kinds: { organisation: number; types: { id: number; model: string }[] };
  owner: string | undefined;
  actions?: React.ReactNode;
}

function FieldRow({ field, kinds, owner, actions }: RowProps) {
  const links = ENTITIES.flatMap(({ value, label }) => {
    const link = linkOf(field, kinds, value);
    return link ? [{ label, required: requiredIn(link, kinds) }] : [];
  });
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
          {field.name} {owner && <Badge color="gray">{owner}</Badge>}
        </Text>
        <Text size="xs" c="dimmed">
          {TYPES.find((type) => type.value === field.type)?.label}
          {field.description && ` · ${field.description}`}
        </Text>
        <Group gap={6} mt={6}>
          {links.length === 0 && (
            <Text size="sm" c="dimmed">
              No form has it yet.
            </Text>
          )}
          {links.map(({ label, required }) => {
            const isRequired = required.organisation || required.projects.length > 0;
            const where = required.organisation ? "required" : `required in ${required.projects.length}`;
            return (
              <Badge key={label} color={isRequired ? "orange" : undefined}>
                {isRequired ? `${label}, ${where}` : label}
              </Badge>
            );
          })}
        </Group>
      </Table.Td>
      <Table.Td w={90}>{actions}</Table.Td>
    </Table.Tr>
  );
}

export function CustomFields({ organisation, project, mayManage }: CustomFieldsProps) {
  const query = useFields(organisation, project);
  const types = useContentTypes(organisation);
  const projects = useProjects(organisation).data ?? [];
  const [opened, { open, close }] = useDisclosure();
  const [edited, setEdited] = useState<Field>();
  const [removed, setRemoved] = useState<Field>();
  const remove = useAct(
    (field: Field) => http.DELETE("/api/v1/metadata/fields/{id}/", { params: { path: { id: field.id } } }),
    { quiet: true, changes: FIELD_PATHS, done: "The field is gone." },
  );
  const edit = (field?: Field) => {
    setEdited(field);
    open();
  };
  const create = mayManage && (
    <Button
      variant={project === null ? "filled" : "light"}
      leftSection={<IconPlus size={16} />}
      onClick={() => edit()}
    >
      New field
    </Button>
  );
  const ownerOf = (field: Field) => {
    if (project !== null) return field.project === null ? "of the organisation" : undefined;
    return field.project === null ? undefined : projects.find((one) => one.id === field.project)?.name;
  };
  const frame = {
    title: "Custom fields",
    description:
      "What is to be said of features, segments and environments: a team, a ticket, a review date.",
    actions: create,
  };
  const content = (
    <>
      <Loaded query={types} rows={2}>
        {(types) => (
          <Loaded query={query} rows={2}>
            {({ results }) =>
              results.length === 0 ? (
                <Empty icon={<IconForms />} title="No custom fields yet">
                  {mayManage
                    ? "A field is a line of the form of each feature, segment or environment, and can be required."
                    : "An administrator can add them."}
                </Empty>
              ) : (
                <Table>
                  <Table.Tbody>
                    {results.map((field) => (
                      <FieldRow
                        key={field.id}
                        field={field}
                        kinds={{ organisation, types }}
                        owner={ownerOf(field)}
                        actions={
                          mayManage &&
                          (project === null || field.project === project) && (
                            <RowActions
                              edit={{ label: `Edit the field ${field.name}`, act: () => edit(field) }}
                              remove={{
                                label: `Delete the field ${field.name}`,
                                act: () => setRemoved(field),
                              }}
                            />
                          )
                        }
                      />
                    ))}
                  </Table.Tbody>
                </Table>
              )
            }
          </Loaded>
        )}
      </Loaded>
      <Modal opened={opened} onClose={close} title={edited ? "Edit the field" : "New custom field"}>
        <Stack>
          <FieldForm
            organisation={organisation}
            project={project}
            types={types.data ?? []}
            field={edited}
            onClose={close}
          />
        </Stack>
      </Modal>
      <Confirm
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Delete the field"
        name={removed?.name}
        onConfirm={async () => removed && remove.mutateAsync(removed)}
      >
        What is said in it goes everywhere, for good.
      </Confirm>
    </>
  );
  if (project !== null) return <Section {...frame}>{content}</Section>;
  return (
    <Page {...frame}>
      <Section>{content}</Section>
    </Page>
  );
}
