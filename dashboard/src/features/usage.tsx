/** How often a feature was asked for, day by day. */
import { Select, Stack, Text } from "@mantine/core";
import { IconChartBar } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { api, type Schema } from "~/api/client";
import { Empty, Loaded, Loading } from "~/parts/states";
import { Time } from "~/parts/time";
import { usePlace } from "~/shell/place";

const DailyChart = lazy(() => import("~/parts/daily-chart"));
const SERIES = [{ name: "evaluations", label: "Evaluations", color: "harbour.6" }];

const PERIODS = [
  { value: "7", label: "Last 7 days" },
  { value: "30", label: "Last 30 days" },
  { value: "90", label: "Last 90 days" },
];

/** One number for each day, whatever the programs that asked. */
function perDay(counts: Schema<"EvaluationsView">[]): { day: string; evaluations: number }[] {
  const days = new Map<string, number>();
  for (const { day, count } of counts) days.set(day, (days.get(day) ?? 0) + count);
  return [...days]
    .map(([day, evaluations]) => ({ day, evaluations }))
    .sort((a, b) => a.day.localeCompare(b.day));
}

/** When programs last asked for it in the environment; nothing while that is not known. */
function LastEvaluated({ feature }: { feature: Schema<"FeatureView"> }) {
  const { project, environment } = usePlace();
  const query = api.useQuery("get", "/api/v1/projects/{project_id}/features/{feature_id}/last-evaluated/", {
    params: { path: { project_id: project.id, feature_id: feature.id } },
  });
  const at = query.data?.find((last) => last.environment === environment.id)?.last_evaluated_at;
  if (!at) return null;
  return (
    <Text size="sm" c="dimmed">
      Last asked for <Time at={at} />
    </Text>
  );
}

export function Usage({ feature }: { feature: Schema<"FeatureView"> }) {
  const { project, environment } = usePlace();
  const [period, setPeriod] = useState("30");
  const query = api.useQuery("get", "/api/v1/projects/{project_id}/features/{feature_id}/evaluation-data/", {
    params: {
      path: { project_id: project.id, feature_id: feature.id },
      query: { environment_id: environment.id, period: Number(period) },
    },
  });
  return (
    <Stack>
      <Select
        aria-label="Period"
        data={PERIODS}
        value={period}
        onChange={(value) => setPeriod(value ?? "30")}
        allowDeselect={false}
        w={180}
      />
      <LastEvaluated feature={feature} />
      <Loaded query={query} rows={4}>
        {(counts) => {
          const days = perDay(counts);
          const total = days.reduce((sum, day) => sum + day.evaluations, 0);
          if (total === 0) {
            return (
              <Empty icon={<IconChartBar />} title="Nobody has asked for it">
                SDKs count how often they are asked for a feature when their analytics are turned on.
              </Empty>
            );
          }
          return (
            <>
              <Text size="sm" c="dimmed">
                Asked for {total.toLocaleString()} times in {environment.name}
              </Text>
              <Suspense fallback={<Loading rows={4} />}>
                <DailyChart days={days} series={SERIES} />
              </Suspense>
            </>
          );
        }}
      </Loaded>
    </Stack>
  );
}
