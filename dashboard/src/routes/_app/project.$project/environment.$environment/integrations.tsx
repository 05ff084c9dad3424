import { createFileRoute } from "@tanstack/react-router";
import { Integrations } from "~/integrations/integrations";
import { ADMIN, useEnvironmentMay, useProjectMay } from "~/lib/permissions";
import { Page } from "~/parts/page";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/integrations")({
  // The integration whose form is open: also where Slack sends the browser back to.
  validateSearch: (search: Record<string, unknown>): { set_up?: string } => ({
    set_up: typeof search.set_up === "string" ? search.set_up : undefined,
  }),
  component: PlaceIntegrations,
});

function PlaceIntegrations() {
  const { set_up } = Route.useSearch();
  const navigate = Route.useNavigate();
  const { project, environment } = usePlace();
  const mayChangeEnvironment = useEnvironmentMay(environment.api_key)(ADMIN);
  const mayChangeProject = useProjectMay(project.id)(ADMIN);
  const common = {
    edited: set_up,
    onEdit: (name: string | undefined) => void navigate({ search: { set_up: name }, replace: true }),
  };
  const isLocked = !mayChangeEnvironment && !mayChangeProject;
  return (
    <Page
      title="Integrations"
      description={`Services that are told what happens in ${environment.name}, or in all of ${project.name}.${isLocked ? " Administrators set them up." : ""}`}
    >
      <Integrations
        owner={{ level: "environment", environment_key: environment.api_key }}
        title={environment.name}
        mayChange={mayChangeEnvironment}
        {...common}
      />
      <Integrations
        owner={{ level: "project", project_id: project.id }}
        title={`all of ${project.name}`}
        mayChange={mayChangeProject}
        {...common}
      />
    </Page>
  );
}
