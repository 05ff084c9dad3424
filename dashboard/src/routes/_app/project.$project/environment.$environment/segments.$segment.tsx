import { Alert, Button, Group } from "@mantine/core";
import { IconCopy, IconListDetails } from "@tabler/icons-react";
import { createFileRoute, notFound } from "@tanstack/react-router";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { DeleteButton } from "~/parts/confirm";
import { Page } from "~/parts/page";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { LIST_PATHS, type ListSegment, useListSegments } from "~/segments/lists/lists";
import { ListMembers } from "~/segments/lists/members";
import { SegmentForm } from "~/segments/segment-form";
import { SegmentUsage } from "~/segments/usage";
import { useSegmentWay } from "~/segments/way";
import { WhoIsIn } from "~/segments/who-is-in";
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
  const { project, environment } = usePlace();
  const query = api.useQuery("get", "/api/v1/projects/{project_id}/segments/{id}/", {
    params: { path: { project_id: project.id, id } },
  });
  const lists = useListSegments(environment.api_key);
  return (
    <Loaded query={query}>
      {(segment) => (
        <Loaded query={lists}>
          {({ results }) => (
            <Segment
              key={segment.id}
              segment={segment}
              list={results.find((one) => one.segment === segment.id)}
            />
          )}
        </Loaded>
      )}
    </Loaded>
  );
}

/** Gives a list of members to a segment that has rules. */
function NewList({ segment }: { segment: Schema<"SegmentView"> }) {
  const { project } = usePlace();
  const give = useAct(
    () =>
      http.POST("/api/v1/projects/{project_id}/list-segments/", {
        params: { path: { project_id: project.id } },
        body: { segment: segment.id },
      }),
    { changes: LIST_PATHS, done: "Members can be named now." },
  );
  return (
    <Section
      title="Who is in it in any case"
      description="Beside the rules a segment can have a list of members who are in, and one of those who are not."
      actions={
        <Button
          variant="default"
          size="xs"
          leftSection={<IconListDetails size={14} />}
          loading={give.isPending}
          onClick={() => give.mutate()}
        >
          Name members
        </Button>
      }
    />
  );
}

function Segment({ segment, list }: { segment: Schema<"SegmentView">; list: ListSegment | undefined }) {
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { project } = usePlace();
  const needsApproval = project.minimum_change_request_approvals !== null;
  const isManaged = segment.managed_by !== "";
  const possible = useSegmentWay(project);
  const way = isManaged ? undefined : possible;
  const mayManage = way === "save";
  const path = { project_id: project.id, id: segment.id };
  const clone = useAct(
    () =>
      http.POST("/api/v1/projects/{project_id}/segments/{id}/clone/", {
        params: { path },
        body: { name: `${segment.name} copy` },
      }),
    {
      changes: [SEGMENTS],
      done: "The copy is created.",
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
      {list && <ListMembers segment={list} />}
      <SegmentForm segment={segment} hasList={list !== undefined} way={way} onSaved={() => undefined} />
      <WhoIsIn key={JSON.stringify(segment.rules)} segment={segment} hasList={list !== undefined} />
      {!list && mayManage && <NewList segment={segment} />}
      <SegmentUsage segment={segment.id} list={list?.key} />
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
