import { Badge } from "@mantine/core";

interface StatusProps {
  request: { committed_at?: string | null };
  approved?: boolean;
  plannedFor?: string | null;
}

/** Where a change request stands. */
export function Status({ request, approved, plannedFor }: StatusProps) {
  if (request.committed_at)
    return <Badge color={plannedFor ? "blue" : "grape"}>{plannedFor ? "scheduled" : "published"}</Badge>;
  return approved ? <Badge color="teal">approved</Badge> : <Badge color="yellow">open</Badge>;
}
