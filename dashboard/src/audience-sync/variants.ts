/**
 * What there is to set of each kind of source, destination and channel. The names of the settings are those of files
 * (docs/audience-sync.schema.json); their labels are what the makers of the places call them.
 */
import type { Content, Kind } from "./objects";

export interface Field {
  name: string;
  label: string;
  description?: string;
  placeholder?: string;
  /** `secret` is never shown again; `address` may hold one; `suggested` takes any text besides its choices. */
  as: "text" | "secret" | "address" | "suggested" | "choice" | "instance" | "switch" | "list" | "environment";
  choices?: { value: string; label: string }[];
  required?: boolean;
  /** Whether the setting makes sense beside the others. */
  when?: (content: Content) => boolean;
}

export interface Variant {
  value: string;
  label: string;
  about: string;
  fields: Field[];
}

/** A kind of object that comes in variants, and which setting names the variant. */
export interface Family {
  kind: Kind;
  tag: "driver" | "type";
  label: string;
  variants: Variant[];
}

const inWarehouse = (content: Content) => content.engine === "warehouse";

export const SOURCES: Family = {
  kind: "sources",
  tag: "driver",
  label: "Kind of source",
  variants: [
    {
      value: "postgres",
      label: "Postgres",
      about: "Read in one snapshot, in a transaction that can only read.",
      fields: [
        {
          name: "url",
          label: "Address",
          description: "With the name and password of a role that may only read.",
          placeholder: "postgres://reader:password@db.example.com/shop",
          as: "address",
          required: true,
        },
        {
          name: "engine",
          label: "Where rows are compared",
          as: "choice",
          choices: [
            { value: "local", label: "Here: all rows are read" },
            { value: "warehouse", label: "In the database: only rows that changed leave it" },
          ],
        },
        {
          name: "schema",
          label: "Schema for comparing",
          description: "The one schema in which the role may make tables.",
          placeholder: "flag_sync",
          as: "text",
          when: inWarehouse,
        },
      ],
    },
    {
      value: "files",
      label: "Files",
      about:
        "CSV with a header line, NDJSON (each also with .gz) and Parquet, in the server's folder for files.",
      fields: [
        {
          name: "folder",
          label: "Folder",
          description: "Inside the server's folder for files; a dot is that folder itself.",
          placeholder: ".",
          as: "text",
          required: true,
        },
      ],
    },
    {
      value: "sqlite",
      label: "SQLite",
      about: "A database in the server's folder for files. It is opened for reading only.",
      fields: [
        {
          name: "path",
          label: "File",
          description: "Inside the server's folder for files.",
          placeholder: "shop.db",
          as: "text",
          required: true,
        },
      ],
    },
  ],
};

export const DESTINATIONS: Family = {
  kind: "destinations",
  tag: "type",
  label: "Kind of destination",
  variants: [
    {
      value: "flagsmith",
      label: "Flagsmith",
      about: "Traits of identities, or the members of a cohort.",
      fields: [
        {
          name: "url",
          label: "API instance",
          description: "A self-hosted one ends in /api/v1. Empty: Flagsmith's Edge API.",
          placeholder: "https://edge.api.flagsmith.com/api/v1",
          as: "suggested",
          choices: [
            { value: "https://edge.api.flagsmith.com/api/v1", label: "Edge API" },
            { value: "https://api.flagsmith.com/api/v1", label: "Core API" },
          ],
        },
        {
          name: "key",
          label: "Server-side environment key",
          description: "It begins with “ser.”; a client-side key can't write.",
          placeholder: "ser.…",
          as: "secret",
          required: true,
        },
        {
          name: "trait_prefix",
          label: "Trait key prefix",
          description: "Put before the name of every trait.",
          placeholder: "crm_",
          as: "text",
        },
        {
          name: "delete_traits_on_remove",
          label: "Delete traits on remove",
          description: "Who leaves an audience loses the trait. Otherwise it becomes false.",
          as: "switch",
        },
        {
          name: "cohort_key",
          label: "Cohort key",
          description: "Only for syncs that name a cohort.",
          as: "secret",
        },
      ],
    },
    {
      value: "launchdarkly",
      label: "LaunchDarkly",
      about: "Targets of a segment that is there.",
      fields: [
        { name: "instance", label: "API instance", as: "instance", required: true },
        {
          name: "token",
          label: "Access token",
          description: "With the Writer role. SDK keys, mobile keys and client-side IDs do not work.",
          placeholder: "api-…",
          as: "secret",
          required: true,
        },
        { name: "project", label: "Project key", placeholder: "default", as: "text", required: true },
        {
          name: "environment",
          label: "Environment key",
          placeholder: "production",
          as: "text",
          required: true,
        },
      ],
    },
    {
      value: "burgee",
      label: "This server",
      about: "Members of its list segments, without a request and without a limit of requests.",
      fields: [{ name: "environment", label: "Environment", as: "environment", required: true }],
    },
  ],
};

export const CHANNELS: Family = {
  kind: "channels",
  tag: "type",
  label: "Kind of channel",
  variants: [
    {
      value: "slack",
      label: "Slack",
      about: "An incoming webhook of a Slack channel.",
      fields: [
        {
          name: "url",
          label: "Webhook address",
          placeholder: "https://hooks.slack.com/services/…",
          as: "address",
          required: true,
        },
      ],
    },
    {
      value: "webhook",
      label: "Webhook",
      about: "A JSON message by POST.",
      fields: [
        {
          name: "url",
          label: "Address",
          placeholder: "https://example.com/alerts",
          as: "address",
          required: true,
        },
      ],
    },
    {
      value: "email",
      label: "E-mail",
      about: "A message to each address.",
      fields: [{ name: "to", label: "E-mail addresses", as: "list", required: true }],
    },
  ],
};

export const FAMILIES: Partial<Record<Kind, Family>> = {
  sources: SOURCES,
  destinations: DESTINATIONS,
  channels: CHANNELS,
};

/** The variant of a content, where it is one that pages know. */
export function variantOf(family: Family, content: Content): Variant | undefined {
  return family.variants.find((variant) => variant.value === content[family.tag]);
}

/** The content without what is empty, at its default, or of no use beside the rest. */
export function tidy(family: Family, content: Content): Content {
  const fields = variantOf(family, content)?.fields ?? [];
  const kept: Content = { [family.tag]: content[family.tag] };
  for (const field of fields) {
    const value =
      typeof content[field.name] === "string" ? String(content[field.name]).trim() : content[field.name];
    const isEmpty = value === undefined || value === "" || value === false || value === null;
    if (!isEmpty && (field.when?.(content) ?? true)) kept[field.name] = value;
  }
  return kept;
}

/** The labels of required settings that are empty. */
export function missing(family: Family, content: Content): string[] {
  const fields = variantOf(family, content)?.fields ?? [];
  const kept = tidy(family, content);
  return fields
    .filter((field) => field.required && (kept[field.name] === undefined || String(kept[field.name]) === ""))
    .map((field) => field.label);
}

/** Where a place is, on one line: what tells it from others, never a secret. */
export function describe(family: Family, content: Content): string {
  const variant = variantOf(family, content);
  const told = ["url", "path", "folder", "instance", "project", "environment", "to", "library"]
    .map((name) => content[name])
    .filter((value) => value !== undefined && value !== "")
    .map((value) => (Array.isArray(value) ? value.join(", ") : String(value)));
  return [variant?.label ?? String(content[family.tag]), told.join(" / ")].filter(Boolean).join(": ");
}
