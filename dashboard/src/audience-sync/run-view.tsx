/** One run, from its beginning to what came of it. */
import { Group, Stack } from "@mantine/core";
import { Back } from "~/parts/page";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { exactly, Time } from "~/parts/time";
import { Begin } from "./begin";
import { Decision } from "./decision";
import { PlanView } from "./plan-view";
import { RefusedRows } from "./refused-rows";
import { RunProgress, StateBadge } from "./run-progress";
import { useStarter } from "./run-table";
import { isUnderWay, operations, type Run, STATES, useRun } from "./runs";

function When({ run, starter }: { run: Run; starter: (run: Run) => string }) {
  return (
    <Group gap={6}>
      <span>
        {STATES[run.state].about} Started <Time at={run.started_at} />, {starter(run)}
        {run.ended_at ? `; ended ${exactly(run.ended_at)}.` : "."}
      </span>
    </Group>
  );
}

export function RunView({ organisation, id }: { organisation: number; id: number }) {
  const query = useRun(organisation, id);
  const starter = useStarter(organisation);
  return (
    <Loaded query={query} rows={4}>
      {(run) => (
        <Stack>
          <Back
            to="/organisation/$organisation/audience-sync/syncs/$sync"
            params={{ organisation: String(organisation), sync: run.sync }}
          >
            {run.sync}
          </Back>
          <Section
            title={`${run.sync}, run ${run.id}`}
            description={<When run={run} starter={starter} />}
            actions={
              <Group gap="sm">
                <StateBadge state={run.state} />
                <Decision organisation={organisation} run={run} />
                {!isUnderWay(run) && run.state !== "held" && (
                  <Begin organisation={organisation} sync={run.sync} />
                )}
              </Group>
            }
          >
            <RunProgress run={run} />
            {(!isUnderWay(run) || operations(run) > 0) && run.seal && <PlanView run={run} />}
          </Section>
          {!isUnderWay(run) && <RefusedRows organisation={organisation} run={run} />}
        </Stack>
      )}
    </Loaded>
  );
}
