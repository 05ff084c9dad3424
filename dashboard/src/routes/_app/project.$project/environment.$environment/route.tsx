import { Alert } from "@mantine/core";
import { createFileRoute, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect } from "react";
import { useLive } from "~/environments/live";
import { useIsOn } from "~/own-flags/client";
import { useIsThere } from "~/own-flags/gates";
import { Failed, Loading, NotFound } from "~/parts/states";
import { paintable } from "~/parts/tag-badge";
import { forgetPlace, rememberPlace, useEnvironments, useProject } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment")({
  component: EnvironmentLayout,
});

/** Shows pages of an environment once it is known, under the banner it may have. */
function EnvironmentLayout() {
  const params = Route.useParams();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isPage = useIsThere()(path);
  const hasBanner = useIsOn("tag_environments");
  const project = useProject(Number(params.project));
  const environments = useEnvironments(Number(params.project));
  const environment = environments.data?.results.find((one) => one.api_key === params.environment);
  useLive(params.environment, project.data?.enable_realtime_updates ?? false);
  const isThere = project.data !== undefined && environment !== undefined;
  // What was read once stays when reading it again fails: a page may hold a draft.
  const failed = [project, environments].find((query) => query.error && query.data === undefined);
  const isGone = environments.data !== undefined && environment === undefined;
  useEffect(() => {
    if (isThere) rememberPlace(Number(params.project), params.environment);
    if (isGone || failed) forgetPlace();
  }, [isThere, isGone, failed, params.project, params.environment]);

  if (failed) return <Failed error={failed.error} retry={failed.refetch} />;
  if (isGone || !isPage) return <NotFound />;
  if (!isThere) return <Loading />;
  return (
    <>
      {hasBanner && environment.banner_text && (
        <Alert
          mb="lg"
          style={{ borderLeft: `6px solid ${paintable(environment.banner_colour ?? undefined)}` }}
        >
          {environment.banner_text}
        </Alert>
      )}
      <Outlet />
    </>
  );
}
