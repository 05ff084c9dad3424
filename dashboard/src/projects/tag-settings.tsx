/** The tags of a project. */
import { Button, Checkbox, ColorInput, Modal, Table, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { useProjectMay } from "~/lib/permissions";
import { Confirm } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { RowActions } from "~/parts/row-actions";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { TagBadge } from "~/parts/tag-badge";
import { about, Refusal } from "~/session/refusal";
import { type Tag, useTags } from "./tags";

const CHANGED = ["/api/v1/projects/{project_id}/tags/", "/api/v1/projects/{project_id}/features/"];
const COLOURS = ["#e03131", "#e8590c", "#f08c00", "#2f9e44", "#0c8599", "#1971c2", "#6741d9", "#c2255c"];

function TagForm({ project, tag, onClose }: { project: number; tag?: Tag; onClose: () => void }) {
  const [body, setBody] = useState({
    label: tag?.label ?? "",
    color: tag?.color ?? "#1971c2",
    description: tag?.description ?? "",
    is_permanent: tag?.is_permanent ?? false,
  });
  const save = useAct(
    () =>
      tag
        ? http.PUT("/api/v1/projects/{project_id}/tags/{tag_id}/", {
            params: { path: { project_id: project, tag_id: tag.id } },
            body,
          })
        : http.POST("/api/v1/projects/{project_id}/tags/", {
            params: { path: { project_id: project } },
            body,
          }),
    { quiet: true, changes: CHANGED, done: "The tag is saved.", after: onClose },
  );
  return (
    <Form onSubmit={() => save.mutate()}>
      <Refusal error={save.error} fields={["label", "color", "description"]} />
      <TextInput
        label="Label"
        required
        data-autofocus
        value={body.label}
        onChange={(event) => setBody({ ...body, label: event.currentTarget.value })}
        error={about(save.error, "label")}
      />
      <ColorInput
        label="Colour"
        swatches={COLOURS}
        value={body.color}
        onChange={(color) => setBody({ ...body, color })}
        eyeDropperButtonProps={{ "aria-label": "Pick a colour from the screen" }}
        error={about(save.error, "color")}
      />
      <TextInput
        label="Description"
        value={body.description}
        onChange={(event) => setBody({ ...body, description: event.currentTarget.value })}
        error={about(save.error, "description")}
      />
      <Checkbox
        label="For good"
        description="Features with this tag are never called stale."
        checked={body.is_permanent}
        onChange={(event) => setBody({ ...body, is_permanent: event.currentTarget.checked })}
      />
      <Button type="submit" loading={save.isPending} disabled={!body.label.trim()}>
        Save the tag
      </Button>
    </Form>
  );
}

export function TagSettings({ project }: { project: number }) {
  const query = useTags(project);
  const mayManage = useProjectMay(project)("MANAGE_TAGS");
  const [opened, { open, close }] = useDisclosure();
  const [edited, setEdited] = useState<Tag>();
  const [removed, setRemoved] = useState<Tag>();
  const remove = useAct(
    (tag: Tag) =>
      http.DELETE("/api/v1/projects/{project_id}/tags/{tag_id}/", {
        params: { path: { project_id: project, tag_id: tag.id } },
      }),
    { quiet: true, changes: CHANGED, done: "The tag is gone." },
  );
  const edit = (tag?: Tag) => {
    setEdited(tag);
    open();
  };
  return (
    <Section
      title="Tags"
      description="To group features, and to limit what people may change."
      actions={
        mayManage && (
          <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => edit()}>
            New tag
          </Button>
        )
      }
    >
      <Loaded query={query} rows={1}>
        {({ results }) =>
          results.length === 0 ? (
            <Text size="sm" c="dimmed">
              None yet.
            </Text>
          ) : (
            <Table>
              <Table.Tbody>
                {results.map((tag) => (
                  <Table.Tr key={tag.id}>
                    <Table.Td>
                      <TagBadge tag={tag} />
                    </Table.Td>
                    <Table.Td c="dimmed" visibleFrom="sm">
                      {tag.description}
                    </Table.Td>
                    <Table.Td w={90}>
                      {mayManage && !tag.is_system_tag && (
                        <RowActions
                          edit={{ label: `Edit the tag ${tag.label}`, act: () => edit(tag) }}
                          remove={{ label: `Delete the tag ${tag.label}`, act: () => setRemoved(tag) }}
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
      <Modal opened={opened} onClose={close} title={edited ? "Edit the tag" : "New tag"}>
        <TagForm project={project} tag={edited} onClose={close} />
      </Modal>
      <Confirm
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Delete the tag"
        name={removed?.label}
        onConfirm={async () => removed && remove.mutateAsync(removed)}
      >
        It is taken off every feature. The features stay.
      </Confirm>
    </Section>
  );
}
