import { Button, Group, Stack, Tabs } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { Begin } from "~/audience-sync/begin";
import { BASE, contentOf, putObject, readObject, type SyncObject, useObject } from "~/audience-sync/objects";
import { RunTable } from "~/audience-sync/run-table";
import { useRuns } from "~/audience-sync/runs";
import { MODES, type SyncContent, scheduleWords } from "~/audience-sync/sync-content";
import { SyncSettings } from "~/audience-sync/sync-settings";
import { Pager } from "~/parts/pager";
import { Section } from "~/parts/section";
import { Empty, Loaded } from "~/parts/states";
import { Time } from "~/parts/time";

export const Route = createFileRoute("/_app/organisation/$organisation/audience-sync/syncs/$sync")({
  validateSearch: (search: Record<string, unknown>): { tab?: "settings" } => ({
    tab: search.tab === "settings" ? "settings" : undefined,
  }),
  component: Sync,
});

const SIZE = 20;

function Pause({ organisation, object }: { organisation: number; object: SyncObject }) {
  const sync = contentOf<SyncContent>(object);
  const isPaused = sync.enabled === false;
  const put = useAct(
    async () => {
      // As it is now, and not as it was shown: what was saved meanwhile stays.
      const now = await readObject(organisation, "syncs", object.name);
      return putObject(organisation, "syncs", { ...now, content: { ...now.content, enabled: isPaused } });
    },
    {
      changes: [BASE],
      done: isPaused ? "It runs by its schedule again." : "Paused: it runs only by hand.",
    },
  );
  return (
    <Button variant="default" loading={put.isPending} onClick={() => put.mutate()}>
      {isPaused ? "Resume" : "Pause"}
    </Button>
  );
}

function History({ organisation, sync }: { organisation: number; sync: string }) {
  const [page, setPage] = useState(1);
  const query = useRuns(organisation, { sync, page, page_size: SIZE });
  return (
    <Section title="Runs" description="The last hundred are kept.">
      <Loaded query={query} rows={3}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon={<IconHistory />} title="It never ran">
              Preview the plan to see what a run would do. Nothing is sent by that.
            </Empty>
          ) : (
            <>
              <RunTable organisation={organisation} runs={results} />
              <Pager page={page} size={SIZE} count={count} onChange={setPage} />
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

function When({ object }: { object: SyncObject }) {
  const sync = contentOf<SyncContent>(object);
  return (
    <>
      {MODES[sync.mode]?.label ?? sync.mode}: {sync.model} → {sync.to}
      {sync.segment && ` / ${sync.segment}`}.{" "}
      {sync.enabled === false ? "Paused" : `Runs ${scheduleWords(sync.schedule)}`}
      {object.next_run_at && (
        <>
          , next <Time at={object.next_run_at} />
        </>
      )}
      .
    </>
  );
}

function Sync() {
  const { organisation: id, sync } = Route.useParams();
  const { tab } = Route.useSearch();
  const navigate = Route.useNavigate();
  const organisation = Number(id);
  const query = useObject(organisation, "syncs", sync);
  return (
    <Loaded query={query}>
      {(object) => (
        <Stack>
          <Section
            title={sync}
            description={<When object={object} />}
            actions={
              <Group gap="xs">
                <Pause organisation={organisation} object={object} />
                <Begin organisation={organisation} sync={sync} />
              </Group>
            }
          />
          <Tabs
            value={tab ?? "runs"}
            keepMounted={false}
            onChange={(value) =>
              navigate({ search: { tab: value === "settings" ? "settings" : undefined }, replace: true })
            }
          >
            <Tabs.List>
              <Tabs.Tab value="runs">History</Tabs.Tab>
              <Tabs.Tab value="settings">Settings</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="runs" pt="md">
              <History organisation={organisation} sync={sync} />
            </Tabs.Panel>
            <Tabs.Panel value="settings" pt="md">
              <SyncSettings key={object.updated_at} organisation={organisation} object={object} />
            </Tabs.Panel>
          </Tabs>
        </Stack>
      )}
    </Loaded>
  );
}
