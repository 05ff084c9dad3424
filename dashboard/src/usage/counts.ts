/** How often the SDK API was asked, added up in the ways that pages show it. */
import type { Schema } from "~/api/client";
import { daysAgo } from "~/lib/days";

export type Count = Schema<"UsageData">;

/** The kinds of requests that are counted. */
export const KINDS = [
  { name: "flags", label: "Flags", color: "harbour.6" },
  { name: "identities", label: "Identities", color: "teal.6" },
  { name: "traits", label: "Traits", color: "orange.6" },
  { name: "environment_document", label: "Environment documents", color: "grape.5" },
] as const;

type Kind = (typeof KINDS)[number]["name"];
export type Totals = Record<Kind, number>;

/** The periods the API counts over, and which days they are: so many days ago, from and to. */
export const PERIODS = [
  { value: "current_billing_period", label: "Last 30 days", from: 30, to: 0 },
  { value: "previous_billing_period", label: "The 30 days before", from: 60, to: 30 },
  { value: "90_day_period", label: "Last 90 days", from: 90, to: 0 },
] as const;

export type Period = (typeof PERIODS)[number]["value"];

const nothing = (): Totals => ({ flags: 0, identities: 0, traits: 0, environment_document: 0 });

export function totalsOf(counts: Count[]): Totals {
  const totals = nothing();
  for (const count of counts) for (const { name } of KINDS) totals[name] += count[name];
  return totals;
}

export function sumOf(totals: Totals): number {
  return KINDS.reduce((sum, { name }) => sum + totals[name], 0);
}

/** Every day of a period, those without requests as well. Days are those of UTC, as the API has them. */
export function byDay(counts: Count[], period: Period, now = Date.now()): ({ day: string } & Totals)[] {
  const { from, to } = PERIODS.find(({ value }) => value === period) ?? PERIODS[0];
  return daysAgo(from, to, now).map((day) => ({
    day,
    ...totalsOf(counts.filter((count) => count.day === day)),
  }));
}
