/** How often a feature was asked for here within the last month, at a glance. */
import { Box, Text, Tooltip } from "@mantine/core";
import { useInViewport } from "@mantine/hooks";
import { api } from "~/api/client";
import { daysAgo } from "~/lib/days";
import { Sparkline } from "~/parts/sparkline";
import { usePlace } from "~/shell/place";

const DAYS = 30;

export function Evaluations({ feature }: { feature: number }) {
  const { project, environment } = usePlace();
  const { ref, inViewport } = useInViewport<HTMLDivElement>();
  const query = api.useQuery(
    "get",
    "/api/v1/projects/{project_id}/features/{feature_id}/evaluation-data/",
    {
      params: {
        path: { project_id: project.id, feature_id: feature },
        query: { environment_id: environment.id, period: DAYS },
      },
    },
    // Each row is a question of its own: only those that are looked at are asked about, and not again soon.
    { enabled: inViewport, staleTime: 300_000 },
  );
  return (
    <Box ref={ref} h={24} w={96} style={{ display: "flex", alignItems: "center" }}>
      {query.data && <Counted counts={query.data} />}
    </Box>
  );
}

function Counted({ counts }: { counts: { day: string; count: number }[] }) {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) {
    return (
      <Text size="xs" c="dimmed">
        none yet
      </Text>
    );
  }
  const numbers = daysAgo(DAYS, 0).map((day) =>
    counts.filter((one) => one.day === day).reduce((sum, { count }) => sum + count, 0),
  );
  const label = `Asked for ${total.toLocaleString()} times in ${DAYS} days`;
  return (
    <Tooltip label={label}>
      <span>
        <Sparkline numbers={numbers} label={label} />
      </span>
    </Tooltip>
  );
}
