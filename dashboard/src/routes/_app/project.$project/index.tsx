import { createFileRoute, Navigate } from "@tanstack/react-router";
import { CreateEnvironment } from "~/environments/create-environment";
import { Page } from "~/parts/page";
import { Loaded } from "~/parts/states";
import { useEnvironments } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/")({ component: FirstEnvironment });

function FirstEnvironment() {
  const { project } = Route.useParams();
  const environments = useEnvironments(Number(project));
  return (
    <Loaded query={environments}>
      {({ results: [first] }) =>
        first ? (
          <Navigate
            to="/project/$project/environment/$environment/features"
            params={{ project, environment: first.api_key }}
            replace
          />
        ) : (
          <Page
            title="The first environment"
            description="Flags have a state in each environment."
            width={560}
          >
            <CreateEnvironment project={Number(project)} />
          </Page>
        )
      }
    </Loaded>
  );
}
