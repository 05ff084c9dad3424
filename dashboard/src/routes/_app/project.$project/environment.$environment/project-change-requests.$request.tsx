import { Alert, Group, SimpleGrid, Text } from "@mantine/core";
import { createFileRoute, notFound } from "@tanstack/react-router";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { Approvals } from "~/changes/approvals";
import { Comments } from "~/changes/comments";
import { Decide } from "~/changes/decide";
import { ProposedSegments } from "~/changes/proposed-segment";
import { authorOf } from "~/changes/row";
import { Status } from "~/changes/status";
import { ADMIN, useProjectMay } from "~/lib/permissions";
import { useMembers } from "~/organisation/members";
import { DeleteButton } from "~/parts/confirm";
import { Page } from "~/parts/page";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { usePlace } from "~/shell/place";
import { useMe } from "~/shell/user-menu";

export const Route = createFileRoute(
  "/_app/project/$project/environment/$environment/project-change-requests/$request",
)({
  beforeLoad: ({ params }) => {
    if (!/^\d+$/.test(params.request)) throw notFound();
  },
  component: SegmentChangeRequest,
});

const ONE = "/api/v1/projects/{project_id}/change-requests/{id}/";
const CHANGED = ["/api/v1/projects/{project_id}/"];

function SegmentChangeRequest() {
  const id = Number(Route.useParams().request);
  const { project } = usePlace();
  const query = api.useQuery("get", ONE, { params: { path: { project_id: project.id, id } } });
  return <Loaded query={query}>{(request) => <ChangeRequest request={request} />}</Loaded>;
}

function useActs(request: Schema<"ProjectChangeRequestDetails">) {
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const path = { project_id: Number(params.project), id: request.id };
  const approve = useAct(
    () => http.POST("/api/v1/projects/{project_id}/change-requests/{id}/approve/", { params: { path } }),
    { changes: CHANGED, done: "Approved." },
  );
  const publish = useAct(
    () => http.POST("/api/v1/projects/{project_id}/change-requests/{id}/commit/", { params: { path } }),
    { changes: CHANGED, done: "It is live." },
  );
  const remove = useAct(() => http.DELETE(ONE, { params: { path } }), {
    quiet: true,
    changes: ["/api/v1/projects/{project_id}/change-requests/"],
    done: "The change request is gone.",
    after: () =>
      navigate({ to: "/project/$project/environment/$environment/project-change-requests", params }),
  });
  return { approve, publish, remove };
}

/** A change request of the project itself: about its segments. */
function ChangeRequest({ request }: { request: Schema<"ProjectChangeRequestDetails"> }) {
  const { project } = usePlace();
  const may = useProjectMay(project.id);
  const me = useMe().data;
  const members = useMembers(project.organisation).data ?? [];
  const { approve, publish, remove } = useActs(request);
  const isMine = me?.id === request.user;
  const hasApproved = request.approvals.some((approval) => approval.user === me?.id && approval.approved_at);
  const isOpen = !request.is_committed;
  return (
    <Page
      title={request.title}
      width={960}
      heading={
        <Group gap="sm">
          {request.title} <Status request={request} approved={request.is_approved} />
        </Group>
      }
      description={
        <>
          {authorOf(request.user, members)}, <Time at={request.created_at} />
        </>
      }
      actions={
        isOpen && (
          <Decide
            mayApprove={may("APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS") && !isMine && !hasApproved}
            approve={approve}
            isApproved={request.is_approved}
            publish={publish}
          />
        )
      }
    >
      {isOpen && request.conflicts.length > 0 && (
        <Alert color="orange" title="A segment changed since this was written">
          Publishing it overwrites what somebody else did. Look at the changes again.
        </Alert>
      )}
      {request.description && <Text style={{ whiteSpace: "pre-wrap" }}>{request.description}</Text>}
      <Section title="Changes" description="Against the segments as they are now.">
        <ProposedSegments segments={request.segments} project={project.id} />
      </Section>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Approvals
          approvals={request.approvals}
          needed={project.minimum_change_request_approvals ?? 0}
          members={members}
        />
        <Comments request={request.id} project={project.id} members={members} />
      </SimpleGrid>
      {isOpen && (isMine || may(ADMIN)) && (
        <Group justify="flex-end">
          <DeleteButton
            label="Delete the request"
            title="Delete the change request"
            onConfirm={remove.mutateAsync}
          >
            Nothing that is live changes.
          </DeleteButton>
        </Group>
      )}
    </Page>
  );
}
