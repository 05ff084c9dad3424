/** What of an organisation is offered, and to whom. */
import { api } from "~/api/client";
import { useMembers } from "~/organisation/members";
import { useMe } from "~/shell/user-menu";
import { useIsOn, useOverrides } from "./client";

export function useMayCreateOrganisation(): boolean {
  const isOff = useIsOn("disable_create_org");
  const { superUserCreateOnly } = useOverrides();
  const me = useMe().data;
  return !isOff && !(superUserCreateOnly && me?.is_superuser === false);
}

/** Whether there are links to join by: not where they are switched off, nor, where seats are looked at, when all are taken. */
export function useHasInviteLinks(organisation: number, enabled: boolean): boolean {
  const bySeats = useIsOn("verify_seats_limit_for_invite_links");
  const { hideInviteLinks } = useOverrides();
  const members = useMembers(organisation).data?.length ?? 0;
  const limits = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/get-subscription-metadata/",
    { params: { path: { organisation_id: organisation } } },
    { enabled: enabled && bySeats },
  ).data;
  const isFull = bySeats && limits !== undefined && members >= limits.max_seats;
  return !hideInviteLinks && !isFull;
}
