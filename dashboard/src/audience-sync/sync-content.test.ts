import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GUARDS, inUnits, type SyncContent, scheduleWords, tidySync } from "./sync-content";

const SCHEMA = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../docs/audience-sync.schema.json"), "utf8"),
);

const FULL: SyncContent = {
  model: "people",
  to: "somewhere",
  mode: "mirror",
  map: { identifier: "id", tier: "tier" },
  audience_trait: "vip",
  cohort: "7",
  segment: "high-value",
  context_kind: "account",
  on_remove: "exclude",
  managed_only: true,
  guards: { max_remove_pct: 10 },
  schedule: { every_minutes: 60 },
  alerts: [{ on: "failed", to: "ops" }],
  enabled: false,
};

describe("a sync is sent with what its destination knows", () => {
  test("every setting of files goes somewhere", () => {
    const somewhere = ["flagsmith", "launchdarkly", "burgee"] as const;
    const sent = somewhere.flatMap((to) => Object.keys(tidySync(FULL, to)));
    expect([...new Set(sent)].sort()).toEqual(Object.keys(SCHEMA.$defs.Sync.properties).sort());
  });

  test("a segment has no trait, and a trait no segment", () => {
    const segment = tidySync(FULL, "launchdarkly");
    expect(segment).toMatchObject({ segment: "high-value", on_remove: "exclude", map: { identifier: "id" } });
    expect(segment).not.toHaveProperty("audience_trait");
    const traits = tidySync(FULL, "flagsmith");
    expect(traits).toMatchObject({ audience_trait: "vip", cohort: "7" });
    expect(traits).not.toHaveProperty("segment");
    expect(tidySync(FULL, "burgee")).not.toHaveProperty("on_remove");
  });

  test("columns are sent with an upsert, and empty lines never", () => {
    const upsert: SyncContent = {
      ...FULL,
      mode: "upsert",
      map: { identifier: "id", tier: "", " ltv ": "ltv" },
    };
    expect(tidySync(upsert, "flagsmith").map).toEqual({ identifier: "id", ltv: "ltv" });
  });

  test("guard rails that are as usual are not said", () => {
    expect(tidySync({ ...FULL, guards: { ...GUARDS } }, "burgee")).not.toHaveProperty("guards");
    expect(tidySync({ ...FULL, guards: { ...GUARDS, allow_empty: true } }, "burgee").guards).toEqual({
      allow_empty: true,
    });
    const said = SCHEMA.$defs.Guards.properties;
    expect(GUARDS).toEqual(Object.fromEntries(Object.keys(said).map((name) => [name, said[name].default])));
  });
});

test("schedules are told in words", () => {
  expect(inUnits(120)).toEqual({ count: 2, unit: 60, name: "hour" });
  expect(scheduleWords({ every_minutes: 1440 })).toBe("every day");
  expect(scheduleWords({ every_minutes: 90 })).toBe("every 90 minutes");
  expect(scheduleWords({ cron: "30 6 * * *", tz: "Europe/Berlin" })).toBe("cron 30 6 * * * (Europe/Berlin)");
  expect(scheduleWords({ after: "base" })).toBe("after base");
  expect(scheduleWords(null)).toBe("by hand");
});
