import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconPlus, IconRefresh, IconShieldExclamation } from "@tabler/icons-react";
import { createFileRoute, Link } from "@tanstack/react-router";
import { useObjects } from "~/audience-sync/objects";
import { useRuns } from "~/audience-sync/runs";
import { SyncList } from "~/audience-sync/sync-list";
import { Section } from "~/parts/section";
import { Empty, Loaded } from "~/parts/states";

export const Route = createFileRoute("/_app/organisation/$organisation/audience-sync/")({ component: Syncs });

/** The runs that somebody has to decide about. */
function Waiting({ organisation }: { organisation: number }) {
  const held = useRuns(organisation, { state: "held", page_size: 20 }).data;
  if (!held || held.count === 0) return null;
  return (
    <Alert
      color="orange"
      icon={<IconShieldExclamation />}
      title={held.count === 1 ? "One run waits for a decision" : `${held.count} runs wait for a decision`}
    >
      <Stack gap={4}>
        {held.results.map((run) => (
          <Group key={run.id} gap={6}>
            <Link
              className="row-link"
              to="/organisation/$organisation/audience-sync/runs/$run"
              params={{ organisation: String(organisation), run: String(run.id) }}
            >
              {run.sync}, run {run.id}
            </Link>
            <Text size="sm">{run.holds[0]?.reason}</Text>
          </Group>
        ))}
      </Stack>
    </Alert>
  );
}

function Syncs() {
  const { organisation: id } = Route.useParams();
  const organisation = Number(id);
  const navigate = Route.useNavigate();
  const query = useObjects(organisation, "syncs");
  const create = (
    <Button
      leftSection={<IconPlus size={16} />}
      onClick={() =>
        navigate({ to: "/organisation/$organisation/audience-sync/new", params: { organisation: id } })
      }
    >
      New sync
    </Button>
  );
  return (
    <>
      <Waiting organisation={organisation} />
      <Section
        title="Syncs"
        description="Each brings a destination in step with a model."
        actions={query.data?.count ? create : undefined}
      >
        <Loaded query={query} rows={3}>
          {({ results }) =>
            results.length === 0 ? (
              <Empty icon={<IconRefresh />} title="No syncs yet" action={create}>
                A sync reads a model and brings a destination in step with it: now, at intervals, by the
                clock.
              </Empty>
            ) : (
              <SyncList organisation={organisation} objects={results} />
            )
          }
        </Loaded>
      </Section>
    </>
  );
}
