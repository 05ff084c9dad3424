import { createFileRoute } from "@tanstack/react-router";
import { api } from "~/api/client";
import { Page } from "~/parts/page";
import { GrantList } from "~/permissions/grant-list";
import { ofEnvironment, ofProject, useEnvironmentGrants, useProjectGrants } from "~/permissions/grants";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/permissions")({
  component: Permissions,
});

function Permissions() {
  const { project, environment } = usePlace();
  const ofProjects = api.useQuery("get", "/api/v1/projects/permissions/").data;
  const ofEnvironments = api.useQuery("get", "/api/v1/environments/permissions/").data;
  return (
    <Page
      title="Permissions"
      description="What is granted to single people and groups. What they may do through roles stands with the roles of the organisation."
      width={860}
    >
      <GrantList
        title={`In the project ${project.name}`}
        description="Seeing the project comes first: nothing else here lets one in."
        organisation={project.organisation}
        admin="Administrator of the project"
        all={ofProjects}
        grants={useProjectGrants(project.id)}
        level={ofProject(project.id)}
      />
      <GrantList
        key={environment.id}
        title={`In the environment ${environment.name}`}
        description="For each environment by itself; choose another one above."
        organisation={project.organisation}
        admin="Administrator of the environment"
        all={ofEnvironments}
        grants={useEnvironmentGrants(environment.api_key)}
        level={ofEnvironment(environment.api_key)}
      />
    </Page>
  );
}
