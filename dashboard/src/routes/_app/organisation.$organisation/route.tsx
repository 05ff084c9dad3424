import { createFileRoute, notFound, Outlet, useRouterState } from "@tanstack/react-router";
import { useIsThere } from "~/own-flags/gates";
import { Loaded, NotFound } from "~/parts/states";
import { useOrganisations } from "~/shell/place";

export const Route = createFileRoute("/_app/organisation/$organisation")({
  beforeLoad: ({ params }) => {
    if (!/^\d+$/.test(params.organisation)) throw notFound();
  },
  component: OrganisationLayout,
});

/** Pages of an organisation that the user is in, as far as flags let them be. */
function OrganisationLayout() {
  const { organisation } = Route.useParams();
  const organisations = useOrganisations();
  const isThere = useIsThere();
  const path = useRouterState({ select: (state) => state.location.pathname });
  return (
    <Loaded query={organisations}>
      {({ results }) =>
        results.some((one) => String(one.id) === organisation) && isThere(path) ? <Outlet /> : <NotFound />
      }
    </Loaded>
  );
}
