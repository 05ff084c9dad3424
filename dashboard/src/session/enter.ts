/** What follows signing in, by whichever way. */
import { useNavigate } from "@tanstack/react-router";
import { queryClient } from "~/api/client";
import * as session from "~/api/session";

const INVITATION = "burgee-invitation";

/** Remembers an invitation while its owner signs in or up. */
export function keepInvitation(path: string) {
  sessionStorage.setItem(INVITATION, path);
}

export function takeInvitation(): string | null {
  const path = sessionStorage.getItem(INVITATION);
  sessionStorage.removeItem(INVITATION);
  return path;
}

/** Only paths of this site are gone to: an address in a link could lead anywhere. */
export function ownPath(next: string | undefined): string | undefined {
  return next?.startsWith("/") && !next.startsWith("//") && !next.startsWith("/\\") ? next : undefined;
}

export function useEnter() {
  const navigate = useNavigate();
  return async (key: string | undefined, { stay = false, next }: { stay?: boolean; next?: string } = {}) => {
    queryClient.clear();
    session.begin(key, stay);
    await navigate({ to: (takeInvitation() ?? ownPath(next) ?? "/") as "/", replace: true });
  };
}
