import { Button, Select, Table, Text } from "@mantine/core";
import { IconFlask, IconPlus } from "@tabler/icons-react";
import { createFileRoute, Link } from "@tanstack/react-router";
import { api } from "~/api/client";
import { Metrics } from "~/experiments/metrics";
import { EXPERIMENTS, STATUSES, type Status, StatusBadge } from "~/experiments/status";
import { Page } from "~/parts/page";
import { Pager } from "~/parts/pager";
import { Rows } from "~/parts/rows";
import { SearchInput } from "~/parts/search-input";
import { Empty, Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { usePlace } from "~/shell/place";

const SIZE = 50;
const ALL_STATUSES = Object.keys(STATUSES) as Status[];

interface Search {
  q?: string;
  status?: Status;
  page?: number;
}

export const Route = createFileRoute("/_app/project/$project/environment/$environment/experiments/")({
  validateSearch: (search: Record<string, unknown>): Search => ({
    q: search.q === undefined || search.q === "" ? undefined : String(search.q),
    status: ALL_STATUSES.find((status) => status === search.status),
    page: Number(search.page) > 1 ? Number(search.page) : undefined,
  }),
  component: Experiments,
});

function Experiments() {
  const { q, status, page = 1 } = Route.useSearch();
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { environment } = usePlace();
  const query = api.useQuery(
    "get",
    EXPERIMENTS,
    {
      params: {
        path: { environment_key: environment.api_key },
        query: { q, status, page, page_size: SIZE },
      },
    },
    { placeholderData: (previous) => previous },
  );
  const create = query.data && (
    <Button
      leftSection={<IconPlus size={16} />}
      onClick={() => navigate({ to: "/project/$project/environment/$environment/experiments/new", params })}
    >
      New experiment
    </Button>
  );
  const isFiltered = q !== undefined || status !== undefined;
  return (
    <Page
      title="Experiments"
      description={`Which variant of a feature does better in ${environment.name}`}
      actions={create}
    >
      <Loaded query={query}>
        {({ results, count }) => (
          <>
            <div className="filters">
              <SearchInput
                placeholder="Search experiments"
                value={q ?? ""}
                onSearch={(text) => navigate({ search: { q: text || undefined, status }, replace: true })}
                style={{ flex: "1 1 14rem" }}
                maw={420}
              />
              <Select
                aria-label="Status"
                placeholder="In any state"
                clearable
                clearButtonProps={{ "aria-label": "In any state" }}
                data={ALL_STATUSES.map((value) => ({ value, label: STATUSES[value].label }))}
                value={status ?? null}
                onChange={(value) =>
                  navigate({ search: { q, status: (value as Status) ?? undefined }, replace: true })
                }
                w={180}
              />
            </div>
            {count === 0 ? (
              <Empty
                icon={<IconFlask />}
                title={isFiltered ? "Nothing matches" : "No experiments yet"}
                action={!isFiltered && create}
              >
                {isFiltered
                  ? "Try another word, or any state."
                  : "An experiment gives variants of a feature to parts of the traffic, and tells which does better."}
              </Empty>
            ) : (
              <Rows
                head={
                  <>
                    <Table.Th>Experiment</Table.Th>
                    <Table.Th>State</Table.Th>
                    <Table.Th visibleFrom="sm">Feature</Table.Th>
                    <Table.Th visibleFrom="md">Begun</Table.Th>
                  </>
                }
              >
                {results.map((experiment) => (
                  <Table.Tr key={experiment.id}>
                    <Table.Td>
                      <Link
                        className="row-link"
                        to="/project/$project/environment/$environment/experiments/$experiment"
                        params={{ ...params, experiment: String(experiment.id) }}
                      >
                        {experiment.name}
                      </Link>
                      <Text size="sm" c="dimmed" lineClamp={1}>
                        {experiment.hypothesis}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      <StatusBadge status={experiment.status} />
                    </Table.Td>
                    <Table.Td visibleFrom="sm" className="mono">
                      {experiment.feature.name}
                    </Table.Td>
                    <Table.Td visibleFrom="md">
                      <Time at={experiment.started_at} size="sm" c="dimmed" />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Rows>
            )}
            <Pager
              page={page}
              size={SIZE}
              count={count}
              onChange={(page) => navigate({ search: { q, status, page } })}
            />
            <Metrics />
          </>
        )}
      </Loaded>
    </Page>
  );
}
