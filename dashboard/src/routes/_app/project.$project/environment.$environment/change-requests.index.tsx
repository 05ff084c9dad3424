import { Paper, SegmentedControl, Stack, Table, Text } from "@mantine/core";
import { IconGitPullRequest } from "@tabler/icons-react";
import { createFileRoute, Link } from "@tanstack/react-router";
import { api } from "~/api/client";
import { Status } from "~/changes/status";
import { useMembers } from "~/organisation/members";
import { Page } from "~/parts/page";
import { Pager } from "~/parts/pager";
import { nameOf } from "~/parts/person";
import { Empty, Loaded } from "~/parts/states";
import { exactly, Time } from "~/parts/time";
import { usePlace } from "~/shell/place";

const SIZE = 30;

export const Route = createFileRoute("/_app/project/$project/environment/$environment/change-requests/")({
  validateSearch: (search: Record<string, unknown>): { closed?: boolean; page?: number } => ({
    closed: search.closed === true ? true : undefined,
    page: Number(search.page) > 1 ? Number(search.page) : undefined,
  }),
  component: ChangeRequests,
});

function ChangeRequests() {
  const { closed = false, page = 1 } = Route.useSearch();
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { project, environment } = usePlace();
  const members = useMembers(project.organisation).data ?? [];
  const query = api.useQuery("get", "/api/v1/environments/{environment_key}/list-change-requests/", {
    params: {
      path: { environment_key: environment.api_key },
      query: { committed: closed, page, page_size: SIZE },
    },
  });
  const author = (id: number | null | undefined) => {
    const member = members.find((one) => one.id === id);
    return member ? nameOf(member) : "somebody who left";
  };
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
      <SegmentedControl
        aria-label="Which change requests"
        size="sm"
        style={{ alignSelf: "flex-start" }}
        data={[
          { value: "open", label: "Open" },
          { value: "closed", label: "Published" },
        ]}
        value={closed ? "closed" : "open"}
        onChange={(value) => navigate({ search: { closed: value === "closed" || undefined }, replace: true })}
      />
      <Loaded query={query}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon={<IconGitPullRequest />} title={closed ? "None was published yet" : "Nothing waits"}>
              Edit a feature and choose “With approval” to ask for one.
            </Empty>
          ) : (
            <Stack>
              <Paper>
                <Table highlightOnHover>
                  <Table.Tbody>
                    {results.map((request) => (
                      <Table.Tr key={request.id}>
                        <Table.Td>
                          <Link
                            className="row-link"
                            to="/project/$project/environment/$environment/change-requests/$request"
                            params={{ ...params, request: String(request.id) }}
                          >
                            {request.title}
                          </Link>
                          <Text size="sm" c="dimmed">
                            {author(request.user)}, <Time at={request.created_at} />
                            {request.live_from && `, takes effect ${exactly(request.live_from)}`}
                          </Text>
                        </Table.Td>
                        <Table.Td w={110}>
                          <Status request={request} />
                        </Table.Td>
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
              </Paper>
              <Pager
                page={page}
                size={SIZE}
                count={count}
                onChange={(page) => navigate({ search: { closed: closed || undefined, page } })}
              />
            </Stack>
          )
        }
      </Loaded>
    </Page>
  );
}
