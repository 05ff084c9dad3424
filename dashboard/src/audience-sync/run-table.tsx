/** Runs, one a line. */
import { Group, Table, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useMembers } from "~/organisation/members";
import { nameOf } from "~/parts/person";
import { Time } from "~/parts/time";
import { StateBadge } from "./run-progress";
import { isUnderWay, operations, type Run, refused } from "./runs";

/** Who asked for a run. */
export function useStarter(organisation: number): (run: Run) => string {
  const members = useMembers(organisation).data ?? [];
  return ({ started_by: id }) => {
    if (id === null) return "by its schedule";
    const member = members.find((one) => one.id === id);
    return `by ${member ? nameOf(member) : "somebody who left"}`;
  };
}

function lasted({ started_at, ended_at }: Run): string | undefined {
  if (!ended_at) return undefined;
  const seconds = Math.round((Date.parse(ended_at) - Date.parse(started_at)) / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** What a run did, or would have done. */
export function summary(run: Run): string {
  if (isUnderWay(run))
    return run.progress.delivered > 0 ? `${run.progress.delivered.toLocaleString()} delivered` : "…";
  if (operations(run) === 0 && run.state !== "failed" && run.state !== "skipped") return "no changes";
  const { adds, updates, removes } = run.counts;
  const parts = [
    adds > 0 && `+${adds.toLocaleString()}`,
    updates > 0 && `~${updates.toLocaleString()}`,
    removes > 0 && `−${removes.toLocaleString()}`,
  ];
  return parts.filter(Boolean).join("  ");
}

interface RunTableProps {
  organisation: number;
  runs: Run[];
  /** Whether the runs are of several syncs. */
  withSync?: boolean;
}

export function RunTable({ organisation, runs, withSync }: RunTableProps) {
  const starter = useStarter(organisation);
  return (
    <Table highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Run</Table.Th>
          <Table.Th>State</Table.Th>
          <Table.Th visibleFrom="xs">Changes</Table.Th>
          <Table.Th visibleFrom="md">Not taken</Table.Th>
          <Table.Th visibleFrom="md">Took</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {runs.map((run) => (
          <Table.Tr key={run.id}>
            <Table.Td>
              <Link
                className="row-link"
                style={{ overflowWrap: "anywhere" }}
                to="/organisation/$organisation/audience-sync/runs/$run"
                params={{ organisation: String(organisation), run: String(run.id) }}
              >
                {withSync ? `${run.sync}, ` : ""}run {run.id}
              </Link>
              <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
                <Time at={run.started_at} />, {starter(run)}
              </Text>
            </Table.Td>
            <Table.Td>
              <Group gap={6}>
                <StateBadge state={run.state} />
              </Group>
            </Table.Td>
            <Table.Td visibleFrom="xs">
              <Text size="sm" style={{ fontVariantNumeric: "tabular-nums", whiteSpace: "pre-wrap" }}>
                {summary(run)}
              </Text>
            </Table.Td>
            <Table.Td visibleFrom="md">{refused(run) > 0 ? refused(run).toLocaleString() : ""}</Table.Td>
            <Table.Td visibleFrom="md">
              <Text size="sm" c="dimmed">
                {lasted(run)}
              </Text>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
