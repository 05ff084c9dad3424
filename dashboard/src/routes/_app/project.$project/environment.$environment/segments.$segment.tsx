import { Alert, Button, Group } from "@mantine/core";
import { IconCopy } from "@tabler/icons-react";
import { createFileRoute, notFound } from "@tanstack/react-router";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { useProjectMay } from "~/lib/permissions";
import { DeleteButton } from "~/parts/confirm";
import { Page } from "~/parts/page";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { SegmentForm } from "~/segments/segment-form";
import { SegmentUsage } from "~/segments/usage";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/segments/$segment")({
  beforeLoad: ({ params }) => {
    if (!/^\d+$/.test(params.segment)) throw notFound();
  },
  component: SegmentPage,
});

const SEGMENTS = "/api/v1/projects/{project_id}/segments/";

function SegmentPage() {
  const id = Number(Route.useParams().segment);
  const { project } = usePlace();
  const query = api.useQuery("get", "/api/v1/projects/{project_id}/segments/{id}/", {
    params: { path: { project_id: project.id, id } },
  });
  return <Loaded query={query}>{(segment) => <Segment key={segment.id} segment={segment} />}</Loaded>;
}

function Segment({ segment }: { segment: Schema<"SegmentView"> }) {
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { project } = usePlace();
  const needsApproval = project.minimum_change_request_approvals !== null;
  const isManaged = segment.managed_by !== "";
  const mayManage = useProjectMay(project.id)("MANAGE_SEGMENTS") && !needsApproval && !isManaged;
  const path = { project_id: project.id, id: segment.id };
  const clone = useAct(
    () =>
      http.POST("/api/v1/projects/{project_id}/segments/{id}/clone/", {
        params: { path },
        body: { name: `${segment.name} copy` },
      }),
    {
      changes: [SEGMENTS],
      done: "The copy is there.",
      after: (copy) =>
        navigate({
          to: "/project/$project/environment/$environment/segments/$segment",
          params: { ...params, segment: String((copy as Schema<"SegmentView">).id) },
        }),
    },
  );
  const remove = useAct(
    () => http.DELETE("/api/v1/projects/{project_id}/segments/{id}/", { params: { path } }),
    {
      quiet: true,
      changes: [SEGMENTS],
      done: `${segment.name} is gone.`,
      after: () => navigate({ to: "/project/$project/environment/$environment/segments", params }),
    },
  );
  return (
    <Page
      title={segment.name}
      width={960}
      actions={
        mayManage && (
          <Button
            variant="default"
            leftSection={<IconCopy size={16} />}
            loading={clone.isPending}
            onClick={() => clone.mutate()}
          >
            Copy
          </Button>
        )
      }
    >
      {needsApproval && <Alert>Segments of this project only change through change requests.</Alert>}
      {isManaged && <Alert>This segment is kept by {segment.managed_by}; it can't be edited here.</Alert>}
      <SegmentForm segment={segment} disabled={!mayManage} onSaved={() => undefined} />
      <SegmentUsage segment={segment.id} />
      {mayManage && (
        <Section title="Delete the segment" danger>
          <Group justify="space-between">
            <span>Its overrides go with it: identities in it get what everybody gets.</span>
            <DeleteButton title={`Delete ${segment.name}`} name={segment.name} onConfirm={remove.mutateAsync}>
              Every override for it goes as well, in every environment.
            </DeleteButton>
          </Group>
        </Section>
      )}
    </Page>
  );
}
