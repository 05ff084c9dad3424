import { describe, expect, test } from "vitest";
import { byDay, type Count, sumOf, totalsOf } from "./counts";

function count(day: string, flags: number): Count {
  const labels = { client_application_name: null, client_application_version: null, user_agent: null };
  return { day, flags, identities: 1, traits: 0, environment_document: 0, labels };
}

describe("usage", () => {
  test("is added up over all kinds of requests", () => {
    const totals = totalsOf([count("2026-11-20", 2), count("2026-11-21", 3)]);
    expect(totals).toMatchObject({ flags: 5, identities: 2 });
    expect(sumOf(totals)).toBe(7);
  });

  test("has every day of the period, the quiet ones too", () => {
    const now = Date.parse("2026-11-21T12:00:00Z");
    const days = byDay([count("2026-11-21", 2), count("2026-11-21", 3)], "current_billing_period", now);
    expect(days).toHaveLength(31);
    expect(days[0]).toMatchObject({ day: "2026-10-22", flags: 0 });
    expect(days.at(-1)).toMatchObject({ day: "2026-11-21", flags: 5, identities: 2 });
  });
});
