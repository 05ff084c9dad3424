/** What can be done with several features at once. Each is done by itself, and what was refused is told by name. */
import { Button, Group, Menu, Paper, Text, Transition } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import {
  IconArchive,
  IconChevronDown,
  IconTag,
  IconToggleLeft,
  IconToggleRight,
  IconTrash,
} from "@tabler/icons-react";
import { useState } from "react";
import { http, refresh, type Schema } from "~/api/client";
import { explain } from "~/api/error";
import { counted } from "~/lib/counted";
import { useProjectMay } from "~/lib/permissions";
import { Confirm } from "~/parts/confirm";
import { useTags } from "~/projects/tags";
import { usePlace } from "~/shell/place";
import { FLAG_PATHS } from "./use-toggle";

type Feature = Schema<"FeatureView">;

function useEach(selected: Feature[], onDone: () => void) {
  const [busy, setBusy] = useState(false);
  const each = async (done: string, act: (feature: Feature) => Promise<unknown>) => {
    setBusy(true);
    const refused: string[] = [];
    for (const feature of selected) {
      await act(feature).catch((error) => refused.push(`${feature.name}: ${explain(error)}`));
    }
    await refresh(...FLAG_PATHS);
    setBusy(false);
    const count = selected.length - refused.length;
    if (count > 0)
      notifications.show({ message: `${count} ${count === 1 ? "feature" : "features"} ${done}.` });
    if (refused.length > 0) {
      notifications.show({ color: "red", title: "Not done", message: refused.join("\n"), autoClose: false });
    }
    onDone();
  };
  return { busy, each };
}

interface BulkBarProps {
  selected: Feature[];
  onDone: () => void;
}

export function BulkBar({ selected, onDone }: BulkBarProps) {
  const { project, environment } = usePlace();
  const may = useProjectMay(project.id);
  const tags = useTags(project.id).data?.results ?? [];
  const { busy, each } = useEach(selected, onDone);
  const [deleting, { open, close }] = useDisclosure();
  const path = (feature: Feature) => ({ project_id: project.id, feature_id: feature.id });
  const turn = (enabled: boolean) =>
    each(enabled ? "turned on" : "turned off", (feature) =>
      http.PATCH("/api/__future__/environments/{environment_key}/features/{feature_id}/", {
        params: { path: { environment_key: environment.api_key, feature_id: feature.id } },
        body: { environment_default: { enabled } },
      }),
    );
  const change = (done: string, body: (feature: Feature) => Schema<"FeatureBody">) =>
    each(done, (feature) =>
      http.PATCH("/api/v1/projects/{project_id}/features/{feature_id}/", {
        params: { path: path(feature) },
        body: body(feature),
      }),
    );
  const allArchived = selected.length > 0 && selected.every((feature) => feature.is_archived);
  const needsApproval = environment.minimum_change_request_approvals !== null;
  return (
    <>
      <Transition mounted={selected.length > 0} transition="slide-up">
        {(style) => (
          <Paper
            style={{ ...style, position: "sticky", bottom: 16, zIndex: 5 }}
            shadow="lg"
            p="sm"
            role="region"
            aria-label="Selected features"
          >
            <Group justify="space-between">
              <Text size="sm" fw={600} pl="xs">
                {selected.length} selected
              </Text>
              <Group gap="xs">
                {!needsApproval && (
                  <>
                    <Button
                      variant="default"
                      loading={busy}
                      leftSection={<IconToggleRight size={16} />}
                      onClick={() => turn(true)}
                    >
                      Turn on
                    </Button>
                    <Button
                      variant="default"
                      loading={busy}
                      leftSection={<IconToggleLeft size={16} />}
                      onClick={() => turn(false)}
                    >
                      Turn off
                    </Button>
                  </>
                )}
                <Menu>
                  <Menu.Target>
                    <Button
                      variant="default"
                      loading={busy}
                      leftSection={<IconTag size={16} />}
                      rightSection={<IconChevronDown size={14} />}
                    >
                      Tag
                    </Button>
                  </Menu.Target>
                  <Menu.Dropdown>
                    {tags.length === 0 && <Menu.Label>This project has no tags yet</Menu.Label>}
                    {tags.map((tag) => (
                      <Menu.Item
                        key={tag.id}
                        onClick={() =>
                          change(`tagged ${tag.label}`, (one) => ({
                            tags: [...new Set([...one.tags, tag.id])],
                          }))
                        }
                      >
                        {tag.label}
                      </Menu.Item>
                    ))}
                  </Menu.Dropdown>
                </Menu>
                <Button
                  variant="default"
                  loading={busy}
                  leftSection={<IconArchive size={16} />}
                  onClick={() =>
                    change(allArchived ? "brought back" : "archived", () => ({ is_archived: !allArchived }))
                  }
                >
                  {allArchived ? "Bring back" : "Archive"}
                </Button>
                {may("DELETE_FEATURE") && (
                  <Button
                    color="red"
                    variant="outline"
                    loading={busy}
                    leftSection={<IconTrash size={16} />}
                    onClick={open}
                  >
                    Delete
                  </Button>
                )}
              </Group>
            </Group>
          </Paper>
        )}
      </Transition>
      <Confirm
        opened={deleting}
        onClose={close}
        title={`Delete ${counted(selected.length, "feature")}`}
        name={project.name}
        onConfirm={() =>
          each("deleted", (feature) =>
            http.DELETE("/api/v1/projects/{project_id}/features/{feature_id}/", {
              params: { path: path(feature) },
            }),
          )
        }
      >
        They go from every environment, with their values and overrides:{" "}
        {selected.map((feature) => feature.name).join(", ")}. Programs that ask for them get their own
        defaults.
      </Confirm>
    </>
  );
}
