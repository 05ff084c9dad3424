/** Has a page follow what others change: the server tells when answers of an environment are different ones. */
import { useDocumentVisibility } from "@mantine/hooks";
import { useEffect } from "react";
import { refresh } from "~/api/client";

const ENVIRONMENT = "/api/v1/environments/{environment_key}/";

/** What depends on flags, segments and overrides. What a change would do is counted again only when somebody asks. */
const CHANGED = [
  "/api/__future__/environments/",
  ...["features/", "featurestates/", "identities/", "explain/"].map((path) => ENVIRONMENT + path),
  ...["list-change-requests/", "scheduled-changes/", "list-segments/"].map((path) => ENVIRONMENT + path),
  "/api/v1/projects/{project_id}/features/",
  "/api/v1/projects/{project_id}/segments/",
];

/** A change makes several answers new, one after the other; they are read again together. */
const PAUSE = 300;

/**
 * Listens while the page is seen: a browser opens few connections to a server at once, and tabs in the background would
 * take them all. What they missed is read when they are looked at again.
 */
export function useLive(environment: string, enabled: boolean) {
  const isSeen = useDocumentVisibility() === "visible";
  useEffect(() => {
    if (!enabled || !isSeen) return;
    const stream = new EventSource(`/sse/environments/${environment}/stream`);
    let hasBegun = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    stream.addEventListener("environment_updated", () => {
      // The first one tells where things are.
      if (!hasBegun) {
        hasBegun = true;
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(() => refresh(...CHANGED), PAUSE);
    });
    return () => {
      clearTimeout(timer);
      stream.close();
    };
  }, [environment, enabled, isSeen]);
}
