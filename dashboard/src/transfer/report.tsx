/** What importing a file did, or would do. */
import { Alert, Badge, Group, List, Stack, Table, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { Schema } from "~/api/client";

export type Report = Schema<"OrganisationImport">;

/** The file of one project, told as that of an organisation is. */
export function ofProject(done: Schema<"ProjectImport">): Report {
  return { dry_run: done.dry_run, created: {}, not_taken: [], projects: [done] };
}

function entries(counts: unknown): [string, number][] {
  return Object.entries(counts as Record<string, number>).filter(([, count]) => count > 0);
}

interface CountsProps {
  created: unknown;
  updated?: unknown;
  isDry: boolean;
}

function Counts({ created, updated = {}, isDry }: CountsProps) {
  const made = new Map(entries(created));
  const changed = new Map(entries(updated));
  const names = [...new Set([...made.keys(), ...changed.keys()])];
  if (names.length === 0) return null;
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>What</Table.Th>
          <Table.Th ta="right">{isDry ? "Would be new" : "New"}</Table.Th>
          <Table.Th ta="right">There already</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {names.map((name) => (
          <Table.Tr key={name}>
            <Table.Td>{name.replaceAll("_", " ")}</Table.Td>
            <Table.Td ta="right">{(made.get(name) ?? 0).toLocaleString()}</Table.Td>
            <Table.Td ta="right">{(changed.get(name) ?? 0).toLocaleString()}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function NotTaken({ all }: { all: Schema<"NotTakenView">[] }) {
  if (all.length === 0) return null;
  return (
    <Alert color="yellow" icon={<IconAlertTriangle />} title="Not as it is in the file">
      <List size="sm" spacing={4}>
        {all.map(({ what, why }) => (
          <List.Item key={`${what} ${why}`} style={{ overflowWrap: "anywhere" }}>
            <strong>{what}</strong>: {why}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

export function ImportReport({ report }: { report: Report }) {
  return (
    <Stack role="status" aria-label={report.dry_run ? "What would happen" : "What happened"}>
      <Text size="sm" fw={600}>
        {report.dry_run ? "This would happen. Nothing is changed yet." : "The file is in."}
      </Text>
      <Counts created={report.created} isDry={report.dry_run} />
      <NotTaken all={report.not_taken} />
      {report.projects.map((project) => (
        <Stack key={project.name} gap="xs">
          <Group gap="xs">
            <Text fw={600}>{project.name}</Text>
            {project.is_new && <Badge color="teal">new project</Badge>}
          </Group>
          <Counts created={project.created} updated={project.updated} isDry={report.dry_run} />
          <NotTaken all={project.not_taken} />
        </Stack>
      ))}
    </Stack>
  );
}
