/** The syncs of an organisation, with what came of their latest runs. */
import { Badge, Table, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Time } from "~/parts/time";
import { contentOf, type SyncObject } from "./objects";
import { StateBadge } from "./run-progress";
import { summary } from "./run-table";
import { useRuns } from "./runs";
import { MODES, type SyncContent, scheduleWords } from "./sync-content";

function Latest({ organisation, sync }: { organisation: number; sync: string }) {
  const run = useRuns(organisation, { sync, page_size: 1 }).data?.results[0];
  if (!run)
    return (
      <Text size="sm" c="dimmed">
        never ran
      </Text>
    );
  return (
    <>
      <StateBadge state={run.state} />
      <Text size="sm" c="dimmed" mt={4}>
        <Time at={run.started_at} />
        <Text span visibleFrom="xs" inherit>
          , {summary(run)}
        </Text>
      </Text>
    </>
  );
}

function Next({ object, sync }: { object: SyncObject; sync: SyncContent }) {
  if (sync.enabled === false) return <Badge color="gray">paused</Badge>;
  return (
    <>
      <Text size="sm">{scheduleWords(sync.schedule)}</Text>
      {object.next_run_at && (
        <Text size="sm" c="dimmed">
          next <Time at={object.next_run_at} />
        </Text>
      )}
    </>
  );
}

export function SyncList({ organisation, objects }: { organisation: number; objects: SyncObject[] }) {
  return (
    <Table highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Sync</Table.Th>
          <Table.Th visibleFrom="md">Mode</Table.Th>
          <Table.Th>Latest run</Table.Th>
          <Table.Th visibleFrom="sm">Runs</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {objects.map((object) => {
          const sync = contentOf<SyncContent>(object);
          return (
            <Table.Tr key={object.name}>
              <Table.Td>
                <Link
                  className="row-link"
                  style={{ overflowWrap: "anywhere" }}
                  to="/organisation/$organisation/audience-sync/syncs/$sync"
                  params={{ organisation: String(organisation), sync: object.name }}
                >
                  {object.name}
                </Link>
                <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
                  {sync.model} → {sync.to}
                  {sync.segment && ` / ${sync.segment}`}
                </Text>
              </Table.Td>
              <Table.Td visibleFrom="md">{MODES[sync.mode]?.label ?? sync.mode}</Table.Td>
              <Table.Td>
                <Latest organisation={organisation} sync={object.name} />
              </Table.Td>
              <Table.Td visibleFrom="sm">
                <Next object={object} sync={sync} />
              </Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}
