/** A line of the audit log, with its details behind it and a way to put back what was before. */
import { Avatar, Badge, Box, Button, Collapse, Group, Stack, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronRight, IconRestore } from "@tabler/icons-react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { ADMIN, useProjectMay } from "~/lib/permissions";
import { Confirm } from "~/parts/confirm";
import { nameOf } from "~/parts/person";
import { Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { FieldChanges } from "./field-changes";

type Entry = Schema<"AuditLogEntry">;

function author(entry: Entry): string {
  if (entry.author) return nameOf(entry.author);
  return entry.api_key ? `Key ${entry.api_key.name}` : "Burgee";
}

function Details({ entry, project }: { entry: Entry; project: number }) {
  const mayRevert = useProjectMay(project)(ADMIN);
  const [asking, { open, close }] = useDisclosure();
  const query = api.useQuery("get", "/api/v1/projects/{project_id}/audit/{id}/", {
    params: { path: { project_id: project, id: entry.id } },
  });
  const revert = useAct(
    () =>
      http.POST("/api/v1/projects/{project_id}/audit/{id}/revert/", {
        params: { path: { project_id: project, id: entry.id } },
        body: {},
      }),
    { quiet: true, changes: ["/api/"], done: "What was before is back." },
  );
  return (
    <Loaded query={query} rows={1}>
      {(details) => (
        <Stack gap="sm" pl={{ base: 0, sm: 44 }} pb="sm">
          <FieldChanges changes={details.change_details} />
          {mayRevert && details.change_type !== "DELETE" && details.change_details.length > 0 && (
            <Group>
              <Button variant="default" size="xs" leftSection={<IconRestore size={14} />} onClick={open}>
                Put back what was before
              </Button>
            </Group>
          )}
          <Confirm
            opened={asking}
            onClose={close}
            title="Put back what was before"
            action="Put it back"
            onConfirm={revert.mutateAsync}
          >
            This undoes “{entry.log}” as a new change, which is in the log as well. If something changed the
            same since, it is refused.
          </Confirm>
        </Stack>
      )}
    </Loaded>
  );
}

export function AuditEntry({ entry, project }: { entry: Entry; project: number }) {
  const [opened, { toggle }] = useDisclosure();
  return (
    <Box style={{ borderBottom: "1px solid var(--burgee-line)" }}>
      <UnstyledButton w="100%" py="sm" onClick={toggle} aria-expanded={opened}>
        <Group wrap="nowrap" gap="sm">
          <Avatar size={32} radius="xl" name={author(entry)} aria-hidden visibleFrom="xs" />
          <Box style={{ flex: 1, minWidth: 0 }}>
            <Text size="sm" fw={500} style={{ overflowWrap: "anywhere" }}>
              {entry.log}
            </Text>
            <Group gap={6}>
              <Text size="xs" c="dimmed">
                {author(entry)}, <Time at={entry.created_date} />
              </Text>
              {entry.environment && <Badge size="xs">{entry.environment.name}</Badge>}
            </Group>
          </Box>
          <IconChevronRight
            size={16}
            style={{ transform: opened ? "rotate(90deg)" : undefined, flexShrink: 0 }}
            aria-hidden
          />
        </Group>
      </UnstyledButton>
      <Collapse expanded={opened}>{opened && <Details entry={entry} project={project} />}</Collapse>
    </Box>
  );
}
