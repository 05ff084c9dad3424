import { createFileRoute, Navigate } from "@tanstack/react-router";
import { Loaded } from "~/parts/states";
import { lastPlace, useOrganisations } from "~/shell/place";

export const Route = createFileRoute("/_app/")({ component: Start });

/** Back to where the user was, or to the projects of the first organisation, or to making one. */
function Start() {
  const organisations = useOrganisations();
  const last = lastPlace();
  if (last) {
    const params = { project: String(last.project), environment: last.environment };
    return <Navigate to="/project/$project/environment/$environment/features" params={params} replace />;
  }
  return (
    <Loaded query={organisations}>
      {({ results: [first] }) =>
        first ? (
          <Navigate to="/organisation/$organisation" params={{ organisation: String(first.id) }} replace />
        ) : (
          <Navigate to="/create" replace />
        )
      }
    </Loaded>
  );
}
