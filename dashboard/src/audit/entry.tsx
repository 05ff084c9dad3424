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
import type { Log } from "./search";

type Entry = Schema<"AuditLogEntry">;

function author(entry: Entry): string {
  if (entry.author) return nameOf(entry.author);
  return entry.api_key ? `Key ${entry.api_key.name}` : "Burgee";
}

function useDetails(entry: Entry, log: Log) {
  const isProject = log.project !== undefined;
  const ofProject = api.useQuery(
    "get",
    "/api/v1/projects/{project_id}/audit/{id}/",
    { params: { path: { project_id: log.project ?? 0, id: entry.id } } },
    { enabled: isProject },
  );
  const ofOrganisation = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/audit/{id}/",
    { params: { path: { organisation_id: log.organisation, id: entry.id } } },
    { enabled: !isProject },
  );
  return isProject ? ofProject : ofOrganisation;
}

/** The way back to what was before, for those who administer the project. */
function Revert({ entry, project }: { entry: Entry; project: number }) {
  const mayRevert = useProjectMay(project)(ADMIN);
  const [asking, { open, close }] = useDisclosure();
  const revert = useAct(
    () =>
      http.POST("/api/v1/projects/{project_id}/audit/{id}/revert/", {
        params: { path: { project_id: project, id: entry.id } },
        body: {},
      }),
    { quiet: true, changes: ["/api/"], done: "What was before is back." },
  );
  if (!mayRevert) return null;
  return (
    <>
      <Group>
        <Button variant="default" size="xs" leftSection={<IconRestore size={14} />} onClick={open}>
          Put back what was before
        </Button>
      </Group>
      <Confirm
        opened={asking}
        onClose={close}
        title="Put back what was before"
        action="Put it back"
        onConfirm={revert.mutateAsync}
      >
        This undoes “{entry.log}” as a new change, which is in the log as well. If something changed the same
        since, it is refused.
      </Confirm>
    </>
  );
}

function Details({ entry, log }: { entry: Entry; log: Log }) {
  const query = useDetails(entry, log);
  const project = log.project ?? entry.project?.id;
  return (
    <Loaded query={query} rows={1}>
      {(details) => (
        <Stack gap="sm" pl={{ base: 0, sm: 44 }} pb="sm">
          <FieldChanges changes={details.change_details} />
          {project !== undefined && details.change_type !== "DELETE" && details.change_details.length > 0 && (
            <Revert entry={entry} project={project} />
          )}
        </Stack>
      )}
    </Loaded>
  );
}

export function AuditEntry({ entry, log }: { entry: Entry; log: Log }) {
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
              {log.project === undefined && entry.project && (
                <Badge size="xs" color="gray">
                  {entry.project.name}
                </Badge>
              )}
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
      <Collapse expanded={opened}>{opened && <Details entry={entry} log={log} />}</Collapse>
    </Box>
  );
}
