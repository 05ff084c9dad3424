import { Badge, Button, Group } from "@mantine/core";
import { IconCopy } from "@tabler/icons-react";
import { createFileRoute, notFound } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { ALL, api, http } from "~/api/client";
import { ADMIN, useProjectMay } from "~/lib/permissions";
import { Confirm } from "~/parts/confirm";
import { DeleteSection } from "~/parts/delete-section";
import { Page } from "~/parts/page";
import { Loaded } from "~/parts/states";
import { AddFeature } from "~/pipelines/add-feature";
import type { Pipeline } from "~/pipelines/draft";
import { PIPELINES, PipelineForm } from "~/pipelines/pipeline-form";
import { RunningPipeline } from "~/pipelines/running";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute(
  "/_app/project/$project/environment/$environment/release-pipelines/$pipeline",
)({
  beforeLoad: ({ params }) => {
    if (!/^\d+$/.test(params.pipeline)) throw notFound();
  },
  component: PipelinePage,
});

/** Features go on by themselves, so it is looked at again. */
const AGAIN = 10_000;

function PipelinePage() {
  const id = Number(Route.useParams().pipeline);
  const { project } = usePlace();
  const query = api.useQuery(
    "get",
    "/api/v1/projects/{project_id}/release-pipelines/{id}/",
    { params: { path: { project_id: project.id, id } } },
    { refetchInterval: ({ state }) => (state.data?.published_at ? AGAIN : false) },
  );
  return <Loaded query={query}>{(pipeline) => <OnePipeline key={pipeline.id} pipeline={pipeline} />}</Loaded>;
}

function useActs(pipeline: Pipeline) {
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const path = { project_id: pipeline.project, id: pipeline.id };
  const publish = useAct(
    () =>
      http.POST("/api/v1/projects/{project_id}/release-pipelines/{id}/publish-pipeline/", {
        params: { path },
      }),
    { quiet: true, changes: [PIPELINES], done: "Features can go through it now." },
  );
  const unpublish = useAct(
    () =>
      http.POST("/api/v1/projects/{project_id}/release-pipelines/{id}/unpublish-pipeline/", {
        params: { path },
      }),
    { changes: [PIPELINES], done: "It is a draft again." },
  );
  const clone = useAct(
    () =>
      http.POST("/api/v1/projects/{project_id}/release-pipelines/{id}/clone/", {
        params: { path },
        body: { name: `${pipeline.name} copy` },
      }),
    {
      changes: [PIPELINES],
      done: "The copy is created.",
      after: ({ id }) =>
        navigate({
          to: "/project/$project/environment/$environment/release-pipelines/$pipeline",
          params: { ...params, pipeline: String(id) },
        }),
    },
  );
  const remove = useAct(
    () => http.DELETE("/api/v1/projects/{project_id}/release-pipelines/{id}/", { params: { path } }),
    {
      quiet: true,
      changes: [PIPELINES],
      done: `${pipeline.name} is gone.`,
      after: () => navigate({ to: "/project/$project/environment/$environment/release-pipelines", params }),
    },
  );
  return { publish, unpublish, clone, remove };
}

function OnePipeline({ pipeline }: { pipeline: Pipeline }) {
  const { project } = usePlace();
  const isAdmin = useProjectMay(project.id)(ADMIN);
  const { publish, unpublish, clone, remove } = useActs(pipeline);
  const [asking, setAsking] = useState(false);
  const features = api.useQuery("get", "/api/v1/projects/{project_id}/features/", {
    params: { path: { project_id: project.id }, query: ALL },
  });
  const isDraft = pipeline.published_at === null;
  const all = features.data?.results ?? [];
  return (
    <Page
      title={pipeline.name}
      description={
        <Group gap="xs">
          <Badge color={isDraft ? "gray" : "teal"}>{isDraft ? "draft" : "published"}</Badge>
          {pipeline.description}
        </Group>
      }
      width={860}
      actions={
        isAdmin && (
          <>
            <Button
              variant="default"
              leftSection={<IconCopy size={16} />}
              loading={clone.isPending}
              onClick={() => clone.mutate()}
            >
              Copy
            </Button>
            {isDraft ? (
              <Button onClick={() => setAsking(true)}>Publish</Button>
            ) : (
              <Button
                variant="default"
                loading={unpublish.isPending}
                disabled={pipeline.features.length > 0}
                title={pipeline.features.length > 0 ? "Features are on their way in it" : undefined}
                onClick={() => unpublish.mutate()}
              >
                Make it a draft again
              </Button>
            )}
          </>
        )
      }
    >
      {isDraft && isAdmin ? (
        <PipelineForm pipeline={pipeline} />
      ) : (
        <>
          {!isDraft && isAdmin && <AddFeature pipeline={pipeline} features={all} />}
          <RunningPipeline pipeline={pipeline} features={all} mayManage={isAdmin} />
        </>
      )}
      {isDraft && isAdmin && (
        <DeleteSection
          what="the pipeline"
          about="What features got of it stays."
          name={pipeline.name}
          onConfirm={remove.mutateAsync}
        >
          The pipeline is gone for good.
        </DeleteSection>
      )}
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Publish ${pipeline.name}`}
        action="Publish it"
        onConfirm={publish.mutateAsync}
      >
        As it was saved last. Features can go through it then, and it can't be changed while it is published.
      </Confirm>
    </Page>
  );
}
