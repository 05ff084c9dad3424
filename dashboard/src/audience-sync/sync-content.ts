/** What a sync says, and what of it makes sense where it goes to. The names are those of files. */

export type Mode = "upsert" | "add" | "remove" | "mirror";
export type To = "flagsmith" | "launchdarkly" | "burgee";

export interface Guards {
  max_remove_pct: number;
  max_remove_min: number;
  allow_empty: boolean;
  max_invalid_pct: number;
}

/** What holds where a sync says nothing else. */
export const GUARDS: Guards = {
  max_remove_pct: 25,
  max_remove_min: 100,
  allow_empty: false,
  max_invalid_pct: 5,
};

export interface Schedule {
  every_minutes?: number;
  cron?: string;
  tz?: string;
  after?: string;
}

export interface Alert {
  on: "failed" | "held" | "rejected_pct" | "stale";
  over?: number;
  to: string;
}

export interface SyncContent {
  model: string;
  to: string;
  mode: Mode;
  /** The name at the destination: the column it comes from. */
  map?: Record<string, string>;
  audience_trait?: string;
  cohort?: string;
  segment?: string;
  context_kind?: string;
  on_remove?: "remove" | "exclude";
  managed_only?: boolean;
  guards?: Partial<Guards>;
  schedule?: Schedule | null;
  alerts?: Alert[];
  enabled?: boolean;
}

export interface ModelContent {
  source: string;
  key: string;
  format?: "wide" | "long";
  sql?: string;
  table?: string;
  file?: string;
}

/** The settings of a sync that a form shows a refusal beside. */
export const SYNC_FIELDS = [
  "model",
  "to",
  "mode",
  "map",
  "audience_trait",
  "cohort",
  "segment",
  "context_kind",
  "schedule",
  "schedule.every_minutes",
  "schedule.cron",
  "schedule.tz",
  "schedule.after",
  "alerts",
  "name",
];

export const MODES: Record<Mode, { label: string; about: Record<"trait" | "target", string> }> = {
  mirror: {
    label: "Mirror",
    about: {
      trait:
        "Keys of the model get the trait. Keys that leave the model lose it, if this sync gave it to them.",
      target: "The included targets become exactly the keys of the model.",
    },
  },
  add: {
    label: "Add",
    about: {
      trait: "Keys of the model get the trait. Nobody loses it.",
      target: "Keys of the model become included targets. Nobody is removed.",
    },
  },
  remove: {
    label: "Remove",
    about: {
      trait: "Keys of the model lose the trait.",
      target: "Keys of the model stop being included targets.",
    },
  },
  upsert: {
    label: "Upsert traits",
    about: { trait: "Every mapped column becomes a trait of the identity that the row names.", target: "" },
  },
};

/** Traits of identities go to Flagsmith only. */
export function modesFor(to: To | undefined): Mode[] {
  return to === "flagsmith" ? ["upsert", "mirror", "add", "remove"] : ["mirror", "add", "remove"];
}

/** What the column with the key is called at the destination. */
export function keyName(to: To | undefined): "identifier" | "context_key" {
  return to === "flagsmith" ? "identifier" : "context_key";
}

const filled = (text: string | undefined) => text?.trim() || undefined;

/** The mapping as it is sent: of an audience the key alone, and of whatever it is no empty lines. */
function mapping(sync: SyncContent): Record<string, string> | undefined {
  const lines = Object.entries(sync.map ?? {}).map(([name, column]) => [name.trim(), column.trim()] as const);
  const isKey = (name: string) => name === "identifier" || name === "context_key";
  const kept = lines.filter(([name, column]) => name && column && (sync.mode === "upsert" || isKey(name)));
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

function guards(given: Partial<Guards> = {}): Partial<Guards> | undefined {
  const told = Object.entries(given).filter(([name, value]) => GUARDS[name as keyof Guards] !== value);
  return told.length > 0 ? Object.fromEntries(told) : undefined;
}

/** A sync without what is empty, at its default, or belongs to destinations of another kind. */
export function tidySync(sync: SyncContent, to: To | undefined): SyncContent {
  const isSegment = to === "launchdarkly" || to === "burgee";
  const isAudience = sync.mode !== "upsert";
  const tidied: SyncContent = {
    model: sync.model,
    to: sync.to,
    mode: sync.mode,
    map: mapping(sync),
    audience_trait: to === "flagsmith" && isAudience ? filled(sync.audience_trait) : undefined,
    cohort: to === "flagsmith" && isAudience ? filled(sync.cohort) : undefined,
    segment: isSegment ? filled(sync.segment) : undefined,
    context_kind: isSegment ? filled(sync.context_kind) : undefined,
    on_remove: to === "launchdarkly" && sync.on_remove === "exclude" ? "exclude" : undefined,
    managed_only: (isSegment && sync.mode === "mirror" && sync.managed_only) || undefined,
    guards: guards(sync.guards),
    schedule: sync.schedule ?? undefined,
    alerts: sync.alerts?.length ? sync.alerts : undefined,
    enabled: sync.enabled === false ? false : undefined,
  };
  return JSON.parse(JSON.stringify(tidied));
}

const UNITS: [number, string][] = [
  [60 * 24, "day"],
  [60, "hour"],
  [1, "minute"],
];

/** A number of minutes in its largest whole unit. */
export function inUnits(minutes: number): { count: number; unit: number; name: string } {
  const [unit, name] = UNITS.find(([unit]) => minutes > 0 && minutes % unit === 0) ?? [1, "minute"];
  return { count: minutes / unit, unit, name };
}

/** When a sync runs by itself, in words. */
export function scheduleWords(schedule: Schedule | null | undefined): string {
  if (schedule?.every_minutes) {
    const { count, name } = inUnits(schedule.every_minutes);
    return count === 1 ? `every ${name}` : `every ${count} ${name}s`;
  }
  if (schedule?.cron) return `cron ${schedule.cron} (${schedule.tz ?? "UTC"})`;
  if (schedule?.after) return `after ${schedule.after}`;
  return "by hand";
}
