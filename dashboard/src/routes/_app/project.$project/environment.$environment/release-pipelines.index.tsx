import { Badge, Button, Table, Text } from "@mantine/core";
import { IconPlus, IconRoute } from "@tabler/icons-react";
import { createFileRoute, Link } from "@tanstack/react-router";
import { api } from "~/api/client";
import { ADMIN, useProjectMay } from "~/lib/permissions";
import { Page } from "~/parts/page";
import { Rows } from "~/parts/rows";
import { Empty, Loaded } from "~/parts/states";
import { PIPELINES } from "~/pipelines/pipeline-form";
import { usePlace } from "~/shell/place";

const SIZE = 50;

export const Route = createFileRoute("/_app/project/$project/environment/$environment/release-pipelines/")({
  validateSearch: (search: Record<string, unknown>): { page?: number } => ({
    page: Number(search.page) > 1 ? Number(search.page) : undefined,
  }),
  component: Pipelines,
});

function Pipelines() {
  const { page = 1 } = Route.useSearch();
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { project } = usePlace();
  const isAdmin = useProjectMay(project.id)(ADMIN);
  const query = api.useQuery("get", PIPELINES, {
    params: { path: { project_id: project.id }, query: { page, page_size: SIZE, ordering: "name" } },
  });
  const create = isAdmin && (
    <Button
      leftSection={<IconPlus size={16} />}
      onClick={() =>
        navigate({ to: "/project/$project/environment/$environment/release-pipelines/new", params })
      }
    >
      New pipeline
    </Button>
  );
  return (
    <Page
      title="Release pipelines"
      description="Ways that features take from environment to environment, by themselves"
      actions={create}
    >
      <Loaded query={query}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon={<IconRoute />} title="No release pipelines yet" action={create}>
              Such as: on in Staging at once, on for a tenth of everybody in Production a day later, and then
              for more.
            </Empty>
          ) : (
            <Rows
              head={
                <>
                  <Table.Th>Pipeline</Table.Th>
                  <Table.Th>State</Table.Th>
                  <Table.Th ta="right" visibleFrom="sm">
                    Stages
                  </Table.Th>
                  <Table.Th ta="right" visibleFrom="sm">
                    On their way
                  </Table.Th>
                </>
              }
              pager={{ page, size: SIZE, count, onChange: (page) => navigate({ search: { page } }) }}
            >
              {results.map((pipeline) => (
                <Table.Tr key={pipeline.id}>
                  <Table.Td>
                    <Link
                      className="row-link"
                      to="/project/$project/environment/$environment/release-pipelines/$pipeline"
                      params={{ ...params, pipeline: String(pipeline.id) }}
                    >
                      {pipeline.name}
                    </Link>
                    <Text size="sm" c="dimmed" lineClamp={1}>
                      {pipeline.description}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    {pipeline.published_at ? (
                      <Badge color="teal">published</Badge>
                    ) : (
                      <Badge color="gray">draft</Badge>
                    )}
                  </Table.Td>
                  <Table.Td ta="right" visibleFrom="sm">
                    {pipeline.stages_count}
                  </Table.Td>
                  <Table.Td ta="right" visibleFrom="sm">
                    {pipeline.features.length}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Rows>
          )
        }
      </Loaded>
    </Page>
  );
}
