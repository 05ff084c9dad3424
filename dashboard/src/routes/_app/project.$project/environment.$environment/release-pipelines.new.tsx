import { IconLock } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { ADMIN, useProjectMay } from "~/lib/permissions";
import { Page } from "~/parts/page";
import { Empty } from "~/parts/states";
import { PipelineForm } from "~/pipelines/pipeline-form";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/release-pipelines/new")(
  { component: NewPipeline },
);

function NewPipeline() {
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { project } = usePlace();
  const isAdmin = useProjectMay(project.id)(ADMIN);
  return (
    <Page title="New release pipeline" width={860}>
      {isAdmin ? (
        <PipelineForm
          onSaved={({ id }) =>
            navigate({
              to: "/project/$project/environment/$environment/release-pipelines/$pipeline",
              params: { ...params, pipeline: String(id) },
            })
          }
        />
      ) : (
        <Empty icon={<IconLock />} title="This is for administrators">
          Release pipelines are drawn up by administrators of the project.
        </Empty>
      )}
    </Page>
  );
}
