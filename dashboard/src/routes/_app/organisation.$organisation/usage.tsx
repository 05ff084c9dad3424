import { Select } from "@mantine/core";
import { IconChartBar } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { api } from "~/api/client";
import { Page } from "~/parts/page";
import { Section } from "~/parts/section";
import { Empty, Loaded, Loading } from "~/parts/states";
import { useEnvironments, useProjects } from "~/shell/place";
import { Breakdown } from "~/usage/breakdown";
import { byDay, KINDS, PERIODS, type Period, sumOf, totalsOf } from "~/usage/counts";
import { TotalCards } from "~/usage/totals";
import { Warnings } from "~/usage/warnings";

const DailyChart = lazy(() => import("~/parts/daily-chart"));
const USAGE = "/api/v1/organisations/{organisation_id}/usage-data/";

interface Search {
  period?: Period;
  project?: number;
  environment?: number;
}

export const Route = createFileRoute("/_app/organisation/$organisation/usage")({
  validateSearch: (search: Record<string, unknown>): Search => ({
    period: PERIODS.slice(1).find(({ value }) => value === search.period)?.value,
    project: Number.isInteger(search.project) ? Number(search.project) : undefined,
    environment: Number.isInteger(search.environment) ? Number(search.environment) : undefined,
  }),
  component: Usage,
});

function Filters() {
  const organisation = Number(Route.useParams().organisation);
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const projects = useProjects(organisation).data ?? [];
  const environments = useEnvironments(search.project).data?.results ?? [];
  const change = (change: Search) => navigate({ search: { ...search, ...change }, replace: true });
  return (
    <div className="filters">
      <Select
        aria-label="Period"
        data={PERIODS.map(({ value, label }) => ({ value, label }))}
        value={search.period ?? PERIODS[0].value}
        onChange={(value) => change({ period: value as Period })}
        allowDeselect={false}
        w={220}
      />
      <Select
        aria-label="Project"
        placeholder="All projects"
        clearable
        searchable
        data={projects.map((one) => ({ value: String(one.id), label: one.name }))}
        value={search.project ? String(search.project) : null}
        onChange={(value) => change({ project: value ? Number(value) : undefined, environment: undefined })}
        w={200}
      />
      {search.project !== undefined && (
        <Select
          aria-label="Environment"
          placeholder="All environments"
          clearable
          searchable
          data={environments.map((one) => ({ value: String(one.id), label: one.name }))}
          value={search.environment ? String(search.environment) : null}
          onChange={(value) => change({ environment: value ? Number(value) : undefined })}
          w={200}
        />
      )}
    </div>
  );
}

function Places({ total }: { total: number }) {
  const organisation = Number(Route.useParams().organisation);
  const { period = PERIODS[0].value, project, environment } = Route.useSearch();
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const projects = useProjects(organisation).data ?? [];
  const environments = useEnvironments(project).data?.results ?? [];
  if (environment !== undefined) return null;
  const by = project === undefined ? "project" : "environment";
  return (
    <Breakdown
      key={`${by} ${project}`}
      organisation={organisation}
      period={period}
      by={by}
      places={by === "project" ? projects : environments}
      total={total}
      onChoose={(id) => navigate({ search: { ...search, [by]: id } })}
    />
  );
}

function Usage() {
  const organisation = Number(Route.useParams().organisation);
  const { period = PERIODS[0].value, project, environment } = Route.useSearch();
  const of = { project_id: project, environment_id: environment };
  const path = { organisation_id: organisation };
  const query = api.useQuery("get", USAGE, { params: { path, query: { period, ...of } } });
  const isCurrent = period === "current_billing_period";
  const before = api.useQuery(
    "get",
    USAGE,
    { params: { path, query: { period: "previous_billing_period", ...of } } },
    { enabled: isCurrent },
  );
  return (
    <Page title="Usage" description="What SDKs asked the API for. Days are those of UTC.">
      <Filters />
      <Loaded query={query}>
        {(counts) => {
          const totals = totalsOf(counts);
          return (
            <>
              <TotalCards
                now={totals}
                before={isCurrent && before.data ? totalsOf(before.data) : undefined}
              />
              {sumOf(totals) === 0 ? (
                <Empty icon={<IconChartBar />} title="No requests in this time">
                  Requests of SDKs are counted as they come, and are here within some seconds.
                </Empty>
              ) : (
                <>
                  <Section title="Requests by day">
                    <Suspense fallback={<Loading rows={5} />}>
                      <DailyChart days={byDay(counts, period)} series={[...KINDS]} />
                    </Suspense>
                  </Section>
                  <Places total={sumOf(totals)} />
                </>
              )}
            </>
          );
        }}
      </Loaded>
      <Warnings organisation={organisation} />
    </Page>
  );
}
