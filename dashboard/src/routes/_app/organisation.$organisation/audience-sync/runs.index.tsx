import { Select } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { useObjects } from "~/audience-sync/objects";
import { RunTable } from "~/audience-sync/run-table";
import { STATES, type State, useRuns } from "~/audience-sync/runs";
import { Pager } from "~/parts/pager";
import { Section } from "~/parts/section";
import { Empty, Loaded } from "~/parts/states";

interface Search {
  sync?: string;
  state?: State;
  page?: number;
}

export const Route = createFileRoute("/_app/organisation/$organisation/audience-sync/runs/")({
  validateSearch: (search: Record<string, unknown>): Search => ({
    sync: search.sync ? String(search.sync) : undefined,
    state: typeof search.state === "string" && search.state in STATES ? (search.state as State) : undefined,
    page: Number(search.page) > 1 ? Number(search.page) : undefined,
  }),
  component: Runs,
});

const SIZE = 30;

function Runs() {
  const organisation = Number(Route.useParams().organisation);
  const { sync, state, page = 1 } = Route.useSearch();
  const navigate = Route.useNavigate();
  const syncs = useObjects(organisation, "syncs").data?.results ?? [];
  const query = useRuns(organisation, { sync, state, page, page_size: SIZE });
  const filter = (change: Search) => navigate({ search: { sync, state, ...change }, replace: true });
  return (
    <Section
      title="Runs"
      description="Of all syncs, the latest first. Plans that were only looked at are among them."
    >
      <div className="filters">
        <Select
          aria-label="Of which sync"
          placeholder="All syncs"
          clearable
          searchable
          data={syncs.map((one) => one.name)}
          value={sync ?? null}
          onChange={(value) => filter({ sync: value ?? undefined })}
          clearButtonProps={{ "aria-label": "All syncs" }}
        />
        <Select
          aria-label="In which state"
          placeholder="All states"
          clearable
          data={Object.entries(STATES).map(([value, { label }]) => ({ value, label }))}
          value={state ?? null}
          onChange={(value) => filter({ state: (value as State | null) ?? undefined })}
          clearButtonProps={{ "aria-label": "All states" }}
        />
      </div>
      <Loaded query={query} rows={4}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon={<IconHistory />} title={sync || state ? "No run is like that" : "Nothing ran yet"}>
              {sync || state
                ? "Choose another sync or another state."
                : "Runs stand here from their beginning on."}
            </Empty>
          ) : (
            <>
              <RunTable organisation={organisation} runs={results} withSync />
              <Pager page={page} size={SIZE} count={count} onChange={(page) => filter({ page })} />
            </>
          )
        }
      </Loaded>
    </Section>
  );
}
