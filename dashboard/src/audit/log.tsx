/** The audit log of a project or of an organisation: who did what, and what it was before. */
import { MultiSelect, Paper, Select, Stack, Text, TextInput } from "@mantine/core";
import { api } from "~/api/client";
import { useMembers } from "~/organisation/members";
import { Pager } from "~/parts/pager";
import { nameOf } from "~/parts/person";
import { SearchInput } from "~/parts/search-input";
import { Empty, Loaded } from "~/parts/states";
import { useEnvironments, useProjects } from "~/shell/place";
import { AuditEntry } from "./entry";
import { type AuditSearch, KINDS, type Log, toAuditQuery } from "./search";

const SIZE = 30;

interface AuditLogProps {
  log: Log;
  search: AuditSearch;
  onSearch: (search: AuditSearch) => void;
}

function useEntries(log: Log, search: AuditSearch) {
  const query = toAuditQuery(search, SIZE);
  const keep = { placeholderData: <Data,>(previous: Data) => previous };
  const isProject = log.project !== undefined;
  const ofProject = api.useQuery(
    "get",
    "/api/v1/projects/{project_id}/audit/",
    { params: { path: { project_id: log.project ?? 0 }, query: { ...query, project: undefined } } },
    { ...keep, enabled: isProject },
  );
  const ofOrganisation = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/audit/",
    { params: { path: { organisation_id: log.organisation }, query } },
    { ...keep, enabled: !isProject },
  );
  return isProject ? ofProject : ofOrganisation;
}

interface FilterProps {
  search: AuditSearch;
  change: (change: Partial<AuditSearch>) => void;
}

function Places({ log, search, change }: FilterProps & { log: Log }) {
  const projects = useProjects(log.project === undefined ? log.organisation : undefined).data ?? [];
  const project = log.project ?? search.project;
  const environments = useEnvironments(project).data?.results ?? [];
  return (
    <>
      {log.project === undefined && (
        <Select
          aria-label="Project"
          placeholder="All projects"
          clearable
          searchable
          data={projects.map((one) => ({ value: String(one.id), label: one.name }))}
          value={search.project ? String(search.project) : null}
          onChange={(value) =>
            change({ project: value ? Number(value) : undefined, environments: undefined })
          }
          w={180}
        />
      )}
      {project !== undefined && (
        <MultiSelect
          aria-label="Environments"
          placeholder={search.environments ? undefined : "All environments"}
          data={environments.map((one) => ({ value: String(one.id), label: one.name }))}
          value={(search.environments ?? []).map(String)}
          onChange={(values) => change({ environments: values.length > 0 ? values.map(Number) : undefined })}
          w={180}
        />
      )}
    </>
  );
}

function Filters({ log, search, change }: FilterProps & { log: Log }) {
  const members = useMembers(log.organisation).data ?? [];
  return (
    <div className="filters">
      <SearchInput
        placeholder="Search the log"
        value={search.search ?? ""}
        onSearch={(text) => change({ search: text || undefined })}
        style={{ flex: "1 1 12rem" }}
      />
      <Places log={log} search={search} change={change} />
      <Select
        aria-label="About"
        placeholder="About anything"
        clearable
        searchable
        data={KINDS}
        value={search.about ?? null}
        onChange={(value) => change({ about: value ?? undefined })}
        w={170}
      />
      <Select
        aria-label="By whom"
        placeholder="By anybody"
        clearable
        searchable
        data={members.map((member) => ({ value: String(member.id), label: nameOf(member) }))}
        value={search.author ? String(search.author) : null}
        onChange={(value) => change({ author: value ? Number(value) : undefined })}
        w={170}
      />
      <TextInput
        type="date"
        aria-label="From this day on"
        leftSection={<Text size="xs">from</Text>}
        leftSectionWidth={46}
        max={search.until}
        value={search.since ?? ""}
        onChange={(event) => change({ since: event.currentTarget.value || undefined })}
        w={180}
      />
      <TextInput
        type="date"
        aria-label="Until this day"
        leftSection={<Text size="xs">until</Text>}
        leftSectionWidth={46}
        min={search.since}
        value={search.until ?? ""}
        onChange={(event) => change({ until: event.currentTarget.value || undefined })}
        w={180}
      />
    </div>
  );
}

export function AuditLog({ log, search, onSearch }: AuditLogProps) {
  const query = useEntries(log, search);
  const change = (change: Partial<AuditSearch>) => onSearch({ ...search, page: undefined, ...change });
  return (
    <Stack>
      <Filters log={log} search={search} change={change} />
      <Loaded query={query}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty title="Nothing like that happened">
              Another search, or other days, may find what you look for.
            </Empty>
          ) : (
            <>
              <Paper px="md">
                {results.map((entry) => (
                  <AuditEntry key={entry.id} entry={entry} log={log} />
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
    </Stack>
  );
}
