/** What a list of features is narrowed to. It stands in the address, so that a view can be sent to somebody. */
import type { paths } from "~/api/schema";

export const STAGES = [
  { value: "new", label: "New" },
  { value: "live", label: "Live" },
  { value: "stale", label: "Stale" },
  { value: "needs_monitoring", label: "Stale, still asked for" },
  { value: "to_remove", label: "To remove" },
  { value: "permanent", label: "Permanent" },
];

export const PAGE_SIZE = 50;

export interface Filters {
  search?: string;
  tags?: number[];
  state?: "on" | "off";
  type?: "STANDARD" | "MULTIVARIATE";
  owners?: number[];
  stage?: string;
  archived?: boolean;
  sort?: "name" | "oldest";
  page?: number;
}

type Query = NonNullable<paths["/api/v1/projects/{project_id}/features/"]["get"]["parameters"]["query"]>;

function oneOf<T extends string>(value: unknown, choices: readonly T[]): T | undefined {
  return choices.find((choice) => choice === value);
}

function ids(value: unknown): number[] | undefined {
  const all = (Array.isArray(value) ? value : []).filter((id): id is number => Number.isInteger(id));
  return all.length > 0 ? all : undefined;
}

/** Reads the address; what it does not understand it leaves out. */
export function readFilters(search: Record<string, unknown>): Filters {
  const page = Number(search.page);
  return {
    // A search for digits comes out of the address as a number.
    search: search.search === undefined || search.search === "" ? undefined : String(search.search),
    tags: ids(search.tags),
    state: oneOf(search.state, ["on", "off"]),
    type: oneOf(search.type, ["STANDARD", "MULTIVARIATE"]),
    owners: ids(search.owners),
    stage: oneOf(
      search.stage,
      STAGES.map((stage) => stage.value),
    ),
    archived: search.archived === true ? true : undefined,
    sort: oneOf(search.sort, ["name", "oldest"]),
    page: Number.isInteger(page) && page > 1 ? page : undefined,
  };
}

export function toQuery(filters: Filters, environment: number): Query {
  const query: Query = {
    environment,
    page: filters.page ?? 1,
    page_size: PAGE_SIZE,
    is_archived: filters.archived ?? false,
    sort_field: filters.sort === "name" ? "name" : "created_date",
    sort_direction: filters.sort ? "ASC" : "DESC",
  };
  if (filters.search) query.search = filters.search;
  if (filters.tags) query.tags = filters.tags.join(",");
  if (filters.state) query.is_enabled = filters.state === "on";
  if (filters.type) query.type = filters.type;
  if (filters.owners) query.owners = filters.owners.join(",");
  if (filters.stage) query.lifecycle_stage = filters.stage;
  return query;
}

/** How many things narrow the list, the search aside. */
export function countFilters({ tags, state, type, owners, stage, archived }: Filters): number {
  return [tags, state, type, owners, stage, archived].filter((filter) => filter !== undefined).length;
}
