import { Group, MultiSelect, Paper, Select } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { api } from "~/api/client";
import { AuditEntry } from "~/audit/entry";
import { useMembers } from "~/organisation/members";
import { Page } from "~/parts/page";
import { Pager } from "~/parts/pager";
import { nameOf } from "~/parts/person";
import { SearchInput } from "~/parts/search-input";
import { Empty, Loaded } from "~/parts/states";
import { usePlace } from "~/shell/place";

const SIZE = 30;

interface Search {
  search?: string;
  environments?: number[];
  author?: number;
  page?: number;
}

export const Route = createFileRoute("/_app/project/$project/environment/$environment/audit-log")({
  validateSearch: (search: Record<string, unknown>): Search => ({
    search: search.search === undefined || search.search === "" ? undefined : String(search.search),
    environments:
      Array.isArray(search.environments) && search.environments.length > 0
        ? search.environments.filter(Number.isInteger)
        : undefined,
    author: Number.isInteger(search.author) ? Number(search.author) : undefined,
    page: Number(search.page) > 1 ? Number(search.page) : undefined,
  }),
  component: AuditLog,
});

function AuditLog() {
  const search = Route.useSearch();
  const navigate = Route.useNavigate();
  const { project, environments } = usePlace();
  const members = useMembers(project.organisation).data ?? [];
  const change = (change: Partial<Search>) =>
    navigate({ search: { ...search, page: undefined, ...change }, replace: true });
  const query = api.useQuery(
    "get",
    "/api/v1/projects/{project_id}/audit/",
    {
      params: {
        path: { project_id: project.id },
        query: { ...search, page: search.page ?? 1, page_size: SIZE },
      },
    },
    { placeholderData: (previous) => previous },
  );
  return (
    <Page
      title="Audit log"
      description={`Everything that was changed in ${project.name}, by whom and how`}
      width={960}
    >
      <Group gap="xs">
        <SearchInput
          placeholder="Search the log"
          value={search.search ?? ""}
          onSearch={(text) => change({ search: text || undefined })}
          style={{ flex: "1 1 14rem" }}
        />
        <MultiSelect
          aria-label="Environments"
          placeholder={search.environments ? undefined : "All environments"}
          data={environments.map((one) => ({ value: String(one.id), label: one.name }))}
          value={(search.environments ?? []).map(String)}
          onChange={(values) => change({ environments: values.length > 0 ? values.map(Number) : undefined })}
          w={220}
        />
        <Select
          aria-label="By whom"
          placeholder="By anybody"
          clearable
          searchable
          data={members.map((member) => ({ value: String(member.id), label: nameOf(member) }))}
          value={search.author ? String(search.author) : null}
          onChange={(value) => change({ author: value ? Number(value) : undefined })}
          w={200}
        />
      </Group>
      <Loaded query={query}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty title="Nothing like that happened" />
          ) : (
            <>
              <Paper px="md">
                {results.map((entry) => (
                  <AuditEntry key={entry.id} entry={entry} project={project.id} />
                ))}
              </Paper>
              <Pager
                page={search.page ?? 1}
                size={SIZE}
                count={count}
                onChange={(page) => change({ page })}
              />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}
