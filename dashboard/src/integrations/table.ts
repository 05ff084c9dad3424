/**
 * The integrations there are: where each is set up, what can be set, and what it receives. The pages and forms are made
 * from this table; a new integration is a line of it, and a test holds it against the document of the API.
 */
import type { Path } from "~/api/client";

/** What an integration is set up for. */
export type Level = "organisation" | "project" | "environment";

export const BELOW = {
  organisation: "/api/v1/organisations/{organisation_id}/integrations/",
  project: "/api/v1/projects/{project_id}/integrations/",
  environment: "/api/v1/environments/{environment_key}/integrations/",
} as const;

type NameBelow<Prefix extends string, P = Path> = P extends `${Prefix}${infer Name}/`
  ? Name extends `${string}/${string}`
    ? never
    : Name
  : never;
type Name = NameBelow<(typeof BELOW)[Level]>;

/** What an integration is told: of changes, of identities that are evaluated, or nothing because it is asked. */
export type Told = "changes" | "identities" | "asked";

interface FieldOptions {
  required?: boolean;
  hint?: string;
  placeholder?: string;
}

export interface Field extends FieldOptions {
  name: string;
  label: string;
  /** `secret` is never shown again; `channel` is one of the Slack workspace's. */
  kind: "text" | "secret" | "address" | "choice" | "switch" | "channel";
  choices?: { value: string; label: string }[];
  /** What a switch is unless somebody sets it. */
  isOn?: boolean;
}

export interface Integration {
  name: Name;
  title: string;
  levels: Level[];
  told: Told;
  /** One sentence: what it receives, and what that is good for. */
  receives: string;
  fields: Field[];
}

const text = (name: string, label: string, options?: FieldOptions): Field => ({
  name,
  label,
  kind: "text",
  required: true,
  ...options,
});
const secret = (name: string, label: string, options?: FieldOptions): Field => ({
  ...text(name, label, options),
  kind: "secret",
});
const address = (name: string, label: string, options?: FieldOptions): Field => ({
  name,
  label,
  kind: "address",
  ...options,
});
const toggle = (name: string, label: string, isOn: boolean, hint?: string): Field => ({
  name,
  label,
  kind: "switch",
  isOn,
  hint,
});
const choice = (name: string, label: string, choices: Field["choices"], hint?: string): Field => ({
  name,
  label,
  kind: "choice",
  choices,
  hint,
});
const channel = (name: string, label: string): Field => ({ name, label, kind: "channel", required: true });

/** The address of a service that has one for everybody. */
const usual = (url: string): Field =>
  address("base_url", "Address", { placeholder: url, hint: `Empty: ${url}` });
const own = (placeholder: string, isRequired = false): Field =>
  address("base_url", "Address", { placeholder, required: isRequired });
const apiKey = (hint?: string): Field => secret("api_key", "API key", { hint });

const SEGMENT_REGIONS = [
  { value: "https://api.segment.io/", label: "United States" },
  { value: "https://events.eu1.segmentapis.com/", label: "European Union" },
];

// biome-ignore format: an integration is a line
export const INTEGRATIONS: Integration[] = [
  { name: "slack", title: "Slack", levels: ["environment"], told: "changes", receives: "A message in a channel for each change: what, in which environment, by whom.", fields: [channel("channel_id", "Channel"), toggle("enabled", "On", true, "While it is off nothing is told.")] },
  { name: "datadog", title: "Datadog", levels: ["project"], told: "changes", receives: "An event for each change, with the environment as its tag, to lay over dashboards.", fields: [own("https://api.datadoghq.com", true), apiKey(), toggle("use_custom_source", "With a source of its own", false, "Events say that they come from here, where Datadog knows this source.")] },
  { name: "new-relic", title: "New Relic", levels: ["project"], told: "changes", receives: "A deployment marker of an application for each change.", fields: [usual("https://api.newrelic.com"), apiKey(), text("app_id", "Application", { hint: "Its id, as New Relic has it" })] },
  { name: "grafana", title: "Grafana", levels: ["project", "organisation"], told: "changes", receives: "An annotation for each change, with project, environment and feature as tags, to lay over dashboards.", fields: [own("https://example.grafana.net"), apiKey("A token of a service account that may write annotations")] },
  { name: "dynatrace", title: "Dynatrace", levels: ["environment"], told: "changes", receives: "A deployment event for each change, on the entities that you select.", fields: [own("https://abc12345.live.dynatrace.com"), apiKey("A token that may ingest events"), text("entity_selector", "Entities", { placeholder: 'type("SERVICE"),tag("shop")', hint: "An entity selector of Dynatrace" })] },
  { name: "sentry", title: "Sentry", levels: ["environment"], told: "changes", receives: "Which flag changed, was made or deleted, so that an error is seen beside the flag that may have caused it.", fields: [address("webhook_url", "Address", { required: true, placeholder: "https://sentry.io/api/0/organizations/…", hint: "As Sentry shows it when a flag provider is added" }), secret("secret", "Secret", { hint: "10 to 60 characters, the same as in Sentry" })] },
  { name: "amplitude", title: "Amplitude", levels: ["environment"], told: "identities", receives: "The flags of each identity, as properties of the user.", fields: [apiKey(), usual("https://api2.amplitude.com")] },
  { name: "heap", title: "Heap", levels: ["environment"], told: "identities", receives: "An event with the flags of each identity.", fields: [apiKey("The id of the app in Heap"), usual("https://heapanalytics.com")] },
  { name: "mixpanel", title: "Mixpanel", levels: ["environment"], told: "identities", receives: "The flags of each identity, as properties of the profile.", fields: [secret("api_key", "Project token"), usual("https://api.mixpanel.com")] },
  { name: "segment", title: "Segment", levels: ["environment"], told: "identities", receives: "An identify call with the flags of each identity, as traits.", fields: [secret("api_key", "Write key"), choice("base_url", "Region", SEGMENT_REGIONS, "Where the workspace is")] },
  { name: "rudderstack", title: "RudderStack", levels: ["environment"], told: "identities", receives: "An identify call with the flags of each identity, as traits.", fields: [address("base_url", "Data plane", { placeholder: "https://example.dataplane.rudderstack.com" }), secret("api_key", "Write key")] },
  { name: "webhook", title: "A program of your own", levels: ["environment"], told: "identities", receives: "A POST of JSON for each identity: its traits, flags and segments.", fields: [address("url", "Address", { required: true, placeholder: "https://example.com/hooks/identities" }), secret("secret", "Secret", { required: false, hint: "Signs what is sent. Empty: unsigned." })] },
  { name: "gitlab", title: "GitLab", levels: ["project"], told: "asked", receives: "Nothing: it is asked for issues and merge requests, to link them to features.", fields: [address("gitlab_instance_url", "Address", { required: true, placeholder: "https://gitlab.com" }), secret("access_token", "Access token", { hint: "May read the API of the projects" }), toggle("labeling_enabled", "Label what is linked", false)] },
];

export function integrationsOf(level: Level): Integration[] {
  return INTEGRATIONS.filter((integration) => integration.levels.includes(level));
}
