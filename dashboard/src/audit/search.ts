/** What of the audit log is looked for; it is kept in the address of the page. */

export interface AuditSearch {
  search?: string;
  project?: number;
  environments?: number[];
  author?: number;
  /** A kind of object. */
  about?: string;
  /** Days, `2026-11-21`; both are included. */
  since?: string;
  until?: string;
  page?: number;
}

/** Whose log: that of a project, or that of all of its organisation. */
export interface Log {
  organisation: number;
  project?: number;
}

/** The kinds of objects that people look for, as the API calls them. */
export const KINDS = [
  { value: "FEATURE", label: "Features" },
  { value: "FEATURE_STATE", label: "States of features" },
  { value: "EF_VERSION", label: "Versions" },
  { value: "SCHEDULED_CHANGE", label: "Scheduled changes" },
  { value: "CHANGE_REQUEST", label: "Change requests" },
  { value: "SEGMENT", label: "Segments" },
  { value: "IDENTITY", label: "Identities" },
  { value: "ENVIRONMENT", label: "Environments" },
  { value: "SERVER_KEY", label: "Server-side keys" },
  { value: "PROJECT", label: "Projects" },
  { value: "ORGANISATION", label: "Organisations" },
  { value: "TAG", label: "Tags" },
  { value: "USER", label: "Users" },
  { value: "INVITE", label: "Invitations" },
  { value: "GROUP", label: "Groups" },
  { value: "ROLE", label: "Roles" },
  { value: "PERMISSION", label: "Permissions" },
  { value: "MASTER_API_KEY", label: "API keys" },
  { value: "WEBHOOK", label: "Webhooks" },
  { value: "INTEGRATION", label: "Integrations" },
  { value: "RELEASE_PIPELINE", label: "Release pipelines" },
  { value: "EXPERIMENT", label: "Experiments" },
  { value: "AUDIENCE_SYNC", label: "Audience syncs" },
  { value: "SAML_CONFIGURATION", label: "Single sign-on" },
];

const whole = (value: unknown) => (Number.isInteger(value) ? Number(value) : undefined);
const day = (value: unknown) => (/^\d{4}-\d{2}-\d{2}$/.test(String(value)) ? String(value) : undefined);

export function readAuditSearch(search: Record<string, unknown>): AuditSearch {
  const environments = Array.isArray(search.environments) ? search.environments.filter(Number.isInteger) : [];
  return {
    search: search.search === undefined || search.search === "" ? undefined : String(search.search),
    project: whole(search.project),
    environments: environments.length > 0 ? environments : undefined,
    author: whole(search.author),
    about: KINDS.some(({ value }) => value === search.about) ? String(search.about) : undefined,
    since: day(search.since),
    until: day(search.until),
    page: Number(search.page) > 1 ? Number(search.page) : undefined,
  };
}

/** When a day begins where the user is, or one that many days later. */
function midnight(day: string, later = 0): string {
  const moment = new Date(`${day}T00:00`);
  moment.setDate(moment.getDate() + later);
  return moment.toISOString();
}

/** The same as the API is asked for it. Days are those of the user's own time zone. */
export function toAuditQuery({ about, since, until, page, ...rest }: AuditSearch, size: number) {
  return {
    ...rest,
    related_object_type: about,
    created_after: since && midnight(since),
    created_before: until && midnight(until, 1),
    page: page ?? 1,
    page_size: size,
  };
}
