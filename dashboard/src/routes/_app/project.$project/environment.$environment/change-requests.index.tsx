import { Paper, Stack, Table } from "@mantine/core";
import { IconGitPullRequest } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { api } from "~/api/client";
import { RequestRow } from "~/changes/row";
import { ScheduledChanges } from "~/changes/scheduled";
import { readShow, type Show, ShowControl } from "~/changes/show";
import { useMembers } from "~/organisation/members";
import { Page } from "~/parts/page";
import { Pager } from "~/parts/pager";
import { Empty, Loaded } from "~/parts/states";
import { usePlace } from "~/shell/place";

const SIZE = 30;

export const Route = createFileRoute("/_app/project/$project/environment/$environment/change-requests/")({
  validateSearch: (search: Record<string, unknown>): { show?: Show; page?: number } => ({
    show: readShow(search.show),
    page: Number(search.page) > 1 ? Number(search.page) : undefined,
  }),
  component: ChangeRequests,
});

function ChangeRequests() {
  const { show = "open" } = Route.useSearch();
  const navigate = Route.useNavigate();
  const { environment } = usePlace();
  const needed = environment.minimum_change_request_approvals;
  return (
    <Page
      title="Change requests"
      description={
        needed === null
          ? `Changes that somebody wants looked at. ${environment.name} does not require them.`
          : `Changes of ${environment.name} need ${needed === 1 ? "one approval" : `${needed} approvals`}.`
      }
    >
      <ShowControl value={show} onChange={(show) => navigate({ search: { show }, replace: true })} />
      {show === "scheduled" ? (
        <ScheduledChanges environments={[environment]} />
      ) : (
        <Requests committed={show === "published"} />
      )}
    </Page>
  );
}

function Requests({ committed }: { committed: boolean }) {
  const { show, page = 1 } = Route.useSearch();
  const navigate = Route.useNavigate();
  const { project, environment } = usePlace();
  const members = useMembers(project.organisation).data ?? [];
  const query = api.useQuery("get", "/api/v1/environments/{environment_key}/list-change-requests/", {
    params: {
      path: { environment_key: environment.api_key },
      query: { committed, page, page_size: SIZE },
    },
  });
  return (
    <Loaded query={query}>
      {({ results, count }) =>
        count === 0 ? (
          <Empty icon={<IconGitPullRequest />} title={committed ? "None was published yet" : "Nothing waits"}>
            Edit a feature and choose “With approval” to ask for one.
          </Empty>
        ) : (
          <Stack>
            <Paper>
              <Table highlightOnHover>
                <Table.Tbody>
                  {results.map((request) => (
                    <RequestRow
                      key={request.id}
                      request={request}
                      environment={environment}
                      members={members}
                    />
                  ))}
                </Table.Tbody>
              </Table>
            </Paper>
            <Pager
              page={page}
              size={SIZE}
              count={count}
              onChange={(page) => navigate({ search: { show, page } })}
            />
          </Stack>
        )
      }
    </Loaded>
  );
}
