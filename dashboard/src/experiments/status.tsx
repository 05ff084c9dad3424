import { Badge } from "@mantine/core";
import type { Schema } from "~/api/client";

export type Status = Schema<"ExperimentStatus">;

export const STATUSES: Record<Status, { label: string; color: string }> = {
  created: { label: "not begun", color: "gray" },
  running: { label: "running", color: "teal" },
  paused: { label: "paused", color: "yellow" },
  completed: { label: "ended", color: "harbour" },
};

export const EXPERIMENTS = "/api/v1/environments/{environment_key}/experiments/";

export function StatusBadge({ status }: { status: Status }) {
  return <Badge color={STATUSES[status].color}>{STATUSES[status].label}</Badge>;
}
