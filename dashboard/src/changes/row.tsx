/** A change request in a list. */
import { Badge, Group, Table, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Member } from "~/organisation/members";
import { nameOf } from "~/parts/person";
import { exactly, Time } from "~/parts/time";
import { type Environment, useAddress } from "~/shell/place";
import { Status } from "./status";

/** What lists tell of a request, of an environment or of a project. */
export interface Listed {
  id: number;
  title: string;
  created_at: string;
  user?: number | null;
  committed_at?: string | null;
  live_from?: string | null;
}

/** Who wrote something, as far as he is still a member. */
export function authorOf(id: number | null | undefined, members: Member[]): string {
  const member = members.find((one) => one.id === id);
  return member ? nameOf(member) : "somebody who left";
}

function ToRequest({ request, environment }: { request: Listed; environment: Environment | undefined }) {
  const address = useAddress();
  const at = { project: String(address.project), request: String(request.id) };
  if (!environment) {
    return (
      <Link
        className="row-link"
        to="/project/$project/environment/$environment/project-change-requests/$request"
        params={{ ...at, environment: address.environment ?? "" }}
      >
        {request.title}
      </Link>
    );
  }
  return (
    <Link
      className="row-link"
      to="/project/$project/environment/$environment/change-requests/$request"
      params={{ ...at, environment: environment.api_key }}
    >
      {request.title}
    </Link>
  );
}

interface RequestRowProps {
  request: Listed;
  /** Whose flags it changes; none for the segments of the project. */
  environment: Environment | undefined;
  /** Whether the list is of several environments. */
  showsPlace?: boolean;
  members: Member[];
}

export function RequestRow({ request, environment, showsPlace, members }: RequestRowProps) {
  const plannedFor =
    request.live_from && new Date(request.live_from) > new Date() ? request.live_from : undefined;
  return (
    <Table.Tr>
      <Table.Td style={{ overflowWrap: "anywhere" }}>
        <Group gap={6}>
          <ToRequest request={request} environment={environment} />
          {showsPlace && (
            <Badge size="xs" color={environment ? undefined : "grape"}>
              {environment?.name ?? "segments"}
            </Badge>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          {authorOf(request.user, members)}, <Time at={request.created_at} />
          {request.live_from && `, takes effect ${exactly(request.live_from)}`}
        </Text>
      </Table.Td>
      <Table.Td w={110}>
        <Status request={request} plannedFor={plannedFor} />
      </Table.Td>
    </Table.Tr>
  );
}
