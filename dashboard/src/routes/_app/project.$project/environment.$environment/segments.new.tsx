import { createFileRoute } from "@tanstack/react-router";
import { useProjectMay } from "~/lib/permissions";
import { Page } from "~/parts/page";
import { SegmentForm } from "~/segments/segment-form";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/segments/new")({
  component: NewSegment,
});

function NewSegment() {
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { project } = usePlace();
  const mayManage = useProjectMay(project.id)("MANAGE_SEGMENTS");
  return (
    <Page title="New segment" width={960}>
      <SegmentForm
        disabled={!mayManage}
        onSaved={(segment) =>
          navigate({
            to: "/project/$project/environment/$environment/segments/$segment",
            params: { ...params, segment: String(segment.id) },
          })
        }
      />
    </Page>
  );
}
