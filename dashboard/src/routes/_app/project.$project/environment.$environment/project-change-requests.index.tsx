import { Group, Paper, Select, Stack, Table } from "@mantine/core";
import { IconGitMerge } from "@tabler/icons-react";
import { createFileRoute } from "@tanstack/react-router";
import { useAllRequests } from "~/changes/across";
import { RequestRow } from "~/changes/row";
import { ScheduledChanges } from "~/changes/scheduled";
import { readShow, type Show, ShowControl } from "~/changes/show";
import { useMembers } from "~/organisation/members";
import { Page } from "~/parts/page";
import { Pager } from "~/parts/pager";
import { SearchInput } from "~/parts/search-input";
import { Empty, Loaded } from "~/parts/states";
import { usePlace } from "~/shell/place";

const SIZE = 30;
/** In the place of an environment: what is about the segments of the project. */
const SEGMENTS = "segments";

interface Search {
  show?: Show;
  /** An environment's key, or `segments`. */
  place?: string;
  search?: string;
  page?: number;
}

export const Route = createFileRoute(
  "/_app/project/$project/environment/$environment/project-change-requests/",
)({
  validateSearch: (search: Record<string, unknown>): Search => ({
    show: readShow(search.show),
    place: typeof search.place === "string" ? search.place : undefined,
    search: search.search === undefined || search.search === "" ? undefined : String(search.search),
    page: Number(search.page) > 1 ? Number(search.page) : undefined,
  }),
  component: AllChangeRequests,
});

function AllChangeRequests() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const { project, environments } = usePlace();
  const show = search.show ?? "open";
  const isScheduled = show === "scheduled";
  const change = (change: Partial<Search>) =>
    navigate({ search: { ...search, page: undefined, ...change }, replace: true });
  const places = environments.map((one) => ({ value: one.api_key, label: one.name }));
  const chosen = environments.filter((one) => search.place === undefined || one.api_key === search.place);
  return (
    <Page
      title="All change requests"
      description={`What waits, was published or is planned in all environments of ${project.name}, and for its segments`}
    >
      <Group gap="xs">
        <ShowControl value={show} onChange={(show) => change({ show })} />
        <Select
          aria-label="Of which environment"
          placeholder="All environments"
          clearable
          data={isScheduled ? places : [...places, { value: SEGMENTS, label: "Segments of the project" }]}
          value={search.place ?? null}
          onChange={(value) => change({ place: value ?? undefined })}
          w={220}
        />
        {!isScheduled && (
          <SearchInput
            placeholder="Search the titles"
            value={search.search ?? ""}
            onSearch={(text) => change({ search: text || undefined })}
            style={{ flex: "1 1 14rem" }}
          />
        )}
      </Group>
      {isScheduled ? <ScheduledChanges environments={chosen} /> : <Requests search={search} />}
    </Page>
  );
}

function Requests({ search }: { search: Search }) {
  const navigate = Route.useNavigate();
  const { project, environments } = usePlace();
  const members = useMembers(project.organisation).data ?? [];
  const isPublished = search.show === "published";
  const query = useAllRequests(project.id, environments, isPublished);
  const page = search.page ?? 1;
  return (
    <Loaded query={query}>
      {(items) => {
        const text = search.search?.toLowerCase() ?? "";
        const found = items.filter(
          ({ item, environment }) =>
            item.title.toLowerCase().includes(text) &&
            (search.place === undefined || (environment?.api_key ?? SEGMENTS) === search.place),
        );
        return (
          <Stack>
            {found.length === 0 ? (
              <Empty icon={<IconGitMerge />} title={isPublished ? "None was published" : "Nothing waits"}>
                {text || search.place
                  ? "Another search, or another environment, may find it."
                  : "Edit a feature and choose “With approval” to ask for a change."}
              </Empty>
            ) : (
              <Paper>
                <Table highlightOnHover>
                  <Table.Tbody>
                    {found.slice((page - 1) * SIZE, page * SIZE).map(({ item, environment }) => (
                      <RequestRow
                        key={item.id}
                        request={item}
                        environment={environment}
                        showsPlace
                        members={members}
                      />
                    ))}
                  </Table.Tbody>
                </Table>
              </Paper>
            )}
            <Pager
              page={page}
              size={SIZE}
              count={found.length}
              onChange={(page) => navigate({ search: { ...search, page } })}
            />
          </Stack>
        );
      }}
    </Loaded>
  );
}
