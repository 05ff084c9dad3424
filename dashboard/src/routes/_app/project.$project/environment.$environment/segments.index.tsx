import { Badge, Button, Table, Text } from "@mantine/core";
import { IconFilter, IconPlus } from "@tabler/icons-react";
import { createFileRoute, Link } from "@tanstack/react-router";
import { api, type Schema } from "~/api/client";
import { Page } from "~/parts/page";
import { Rows } from "~/parts/rows";
import { SearchInput } from "~/parts/search-input";
import { Empty, Loaded } from "~/parts/states";
import { Time } from "~/parts/time";
import { describeRules } from "~/segments/describe";
import { type ListSegment, useListSegments } from "~/segments/lists/lists";
import { useSegmentWay } from "~/segments/way";
import { usePlace } from "~/shell/place";

const SIZE = 50;

export const Route = createFileRoute("/_app/project/$project/environment/$environment/segments/")({
  validateSearch: (search: Record<string, unknown>): { q?: string; page?: number } => ({
    q: search.q === undefined || search.q === "" ? undefined : String(search.q),
    page: Number(search.page) > 1 ? Number(search.page) : undefined,
  }),
  component: Segments,
});

/** Who is in a segment, in words: those who are named, and those its rules mean. */
function inWords(segment: Schema<"SegmentView">, list: ListSegment | undefined): string {
  const rules = describeRules(segment.rules);
  if (!list) return rules;
  const members = `${list.included.toLocaleString()} named${list.excluded > 0 ? `, ${list.excluded.toLocaleString()} excluded` : ""}`;
  return rules ? `${members}; or ${rules}` : members;
}

function Segments() {
  const { q, page = 1 } = Route.useSearch();
  const params = Route.useParams();
  const navigate = Route.useNavigate();
  const { project, environment } = usePlace();
  const lists = useListSegments(environment.api_key).data?.results ?? [];
  const listOf = (segment: number) => lists.find((list) => list.segment === segment);
  const way = useSegmentWay(project);
  const query = api.useQuery(
    "get",
    "/api/v1/projects/{project_id}/segments/",
    { params: { path: { project_id: project.id }, query: { q, page, page_size: SIZE } } },
    { placeholderData: (previous) => previous },
  );
  const create = way && (
    <Button
      leftSection={<IconPlus size={16} />}
      onClick={() => navigate({ to: "/project/$project/environment/$environment/segments/new", params })}
    >
      New segment
    </Button>
  );
  return (
    <Page
      title="Segments"
      description={`Groups of identities, by their traits or by name, in all of ${project.name}`}
      actions={create}
    >
      <SearchInput
        placeholder="Search segments"
        value={q ?? ""}
        onSearch={(text) => navigate({ search: { q: text || undefined }, replace: true })}
        maw={420}
      />
      <Loaded query={query}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty
              icon={<IconFilter />}
              title={q ? "Nothing matches" : "No segments yet"}
              action={!q && create}
            >
              {q
                ? "Try another word."
                : "A segment is who is meant: everybody on a paid plan, every tenth identity, a list of customers."}
            </Empty>
          ) : (
            <Rows
              head={
                <>
                  <Table.Th>Segment</Table.Th>
                  <Table.Th visibleFrom="sm">Who is in it</Table.Th>
                  <Table.Th visibleFrom="md">Changed</Table.Th>
                </>
              }
              pager={{ page, size: SIZE, count, onChange: (page) => navigate({ search: { q, page } }) }}
            >
              {results.map((segment) => (
                <Table.Tr key={segment.id}>
                  <Table.Td>
                    <Link
                      className="row-link"
                      to="/project/$project/environment/$environment/segments/$segment"
                      params={{ ...params, segment: String(segment.id) }}
                    >
                      {segment.name}
                    </Link>{" "}
                    {listOf(segment.id) && <Badge color="teal">list</Badge>}{" "}
                    {segment.managed_by && <Badge>{segment.managed_by}</Badge>}
                    <Text size="sm" c="dimmed" lineClamp={1}>
                      {segment.description}
                    </Text>
                  </Table.Td>
                  <Table.Td visibleFrom="sm">
                    <Text size="sm" lineClamp={2}>
                      {inWords(segment, listOf(segment.id))}
                    </Text>
                  </Table.Td>
                  <Table.Td visibleFrom="md">
                    <Time at={segment.updated_at} size="sm" c="dimmed" />
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
