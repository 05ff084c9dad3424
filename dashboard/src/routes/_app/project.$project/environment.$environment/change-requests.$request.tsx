import { Alert, Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconClock } from "@tabler/icons-react";
import { createFileRoute, notFound } from "@tanstack/react-router";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { Approvals } from "~/changes/approvals";
import { Comments } from "~/changes/comments";
import { Decide } from "~/changes/decide";
import { plannedFor } from "~/changes/proposal";
import { ProposedChanges } from "~/changes/proposed";
import { Status } from "~/changes/status";
import { useEnvironmentMay } from "~/lib/permissions";
import { useMembers } from "~/organisation/members";
import { DeleteButton } from "~/parts/confirm";
import { Page } from "~/parts/page";
import { nameOf } from "~/parts/person";
import { Loaded } from "~/parts/states";
import { exactly, Time } from "~/parts/time";
import { usePlace } from "~/shell/place";
import { useMe } from "~/shell/user-menu";

export const Route = createFileRoute(
  "/_app/project/$project/environment/$environment/change-requests/$request",
)({
  beforeLoad: ({ params }) => {
    if (!/^\d+$/.test(params.request)) throw notFound();
  },
  component: ChangeRequestPage,
});

type Details = Schema<"ChangeRequestDetails">;

const ONE = "/api/v1/features/workflows/change-requests/{id}/";
const CHANGED = [
  "/api/v1/features/workflows/",
  "/api/v1/environments/{environment_key}/",
  "/api/__future__/",
  "/api/v1/projects/{project_id}/features/",
];

function ChangeRequestPage() {
  const id = Number(Route.useParams().request);
  const query = api.useQuery("get", ONE, { params: { path: { id } } });
  return <Loaded query={query}>{(request) => <ChangeRequest request={request} />}</Loaded>;
}

function useActs(request: Details) {
  const path = { id: request.id };
  const approve = useAct(
    () => http.POST("/api/v1/features/workflows/change-requests/{id}/approve/", { params: { path } }),
    {
      changes: CHANGED,
      done: "Approved.",
    },
  );
  const publish = useAct(
    () => http.POST("/api/v1/features/workflows/change-requests/{id}/commit/", { params: { path } }),
    {
      changes: CHANGED,
      done: plannedFor(request) ? "It will happen as planned." : "It is live.",
    },
  );
  const ignore = useAct(() => http.PATCH(ONE, { params: { path }, body: { ignore_conflicts: true } }), {
    changes: CHANGED,
  });
  return { approve, publish, ignore };
}

function ChangeRequest({ request }: { request: Details }) {
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { project, environment } = usePlace();
  const may = useEnvironmentMay(environment.api_key);
  const me = useMe().data;
  const members = useMembers(project.organisation).data ?? [];
  const { approve, publish, ignore } = useActs(request);
  const author = members.find((member) => member.id === request.user);
  const isMine = me?.id === request.user;
  const hasApproved = request.approvals.some((approval) => approval.user === me?.id && approval.approved_at);
  const planned = plannedFor(request);
  const isOpen = !request.is_committed;
  const remove = useAct(() => http.DELETE(ONE, { params: { path: { id: request.id } } }), {
    quiet: true,
    changes: ["/api/v1/environments/{environment_key}/list-change-requests/"],
    done: "The change request is gone.",
    after: () => navigate({ to: "/project/$project/environment/$environment/change-requests", params }),
  });
  return (
    <Page
      title={request.title}
      width={960}
      heading={
        <Group gap="sm">
          {request.title} <Status request={request} approved={request.is_approved} plannedFor={planned} />
        </Group>
      }
      description={
        <>
          {author ? nameOf(author) : "Somebody who left"}, <Time at={request.created_at} />
        </>
      }
      actions={
        isOpen && (
          <Decide
            mayApprove={may("APPROVE_CHANGE_REQUEST") && !isMine && !hasApproved}
            approve={approve}
            isApproved={request.is_approved}
            publish={publish}
            label={planned ? "Schedule" : "Publish"}
          />
        )
      }
    >
      {planned && <Alert icon={<IconClock />}>Takes effect on {exactly(planned)}.</Alert>}
      {isOpen && request.conflicts.length > 0 && !request.ignore_conflicts && (
        <Alert color="orange" title="The feature changed since this was written">
          <Stack gap="xs">
            <Text size="sm">
              Publishing it would overwrite what somebody else did. Look at the changes again.
            </Text>
            {isMine && (
              <Group>
                <Button
                  variant="default"
                  size="xs"
                  loading={ignore.isPending}
                  onClick={() => ignore.mutate()}
                >
                  Publish it nevertheless
                </Button>
              </Group>
            )}
          </Stack>
        </Alert>
      )}
      {request.description && <Text style={{ whiteSpace: "pre-wrap" }}>{request.description}</Text>}
      <ProposedChanges request={request} />
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Approvals
          approvals={request.approvals}
          needed={environment.minimum_change_request_approvals ?? 0}
          members={members}
        />
        <Comments request={request.id} members={members} />
      </SimpleGrid>
      {isOpen && (isMine || may("ADMIN")) && (
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
