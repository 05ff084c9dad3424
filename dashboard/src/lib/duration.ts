/** Lengths of time, as the API writes them (`[D ]HH:MM:SS`, or a number of seconds) and as people say them. */
export type Unit = "minutes" | "hours" | "days";

const SECONDS: Record<Unit, number> = { minutes: 60, hours: 3600, days: 86_400 };
const LARGEST_FIRST: Unit[] = ["days", "hours", "minutes"];

/** Seconds of what the API has; nothing where it can't be read. */
export function secondsOf(duration: unknown): number | undefined {
  if (typeof duration === "number") return duration;
  const [, days = "0", hours, minutes, seconds] =
    /^(?:(\d+) )?(\d+):(\d\d):(\d\d)(?:\.\d+)?$/.exec(String(duration)) ?? [];
  if (hours === undefined) return undefined;
  return Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** Seconds as an amount of the largest unit that leaves nothing over. */
export function amountOf(seconds: number): { amount: number; unit: Unit } {
  const unit = LARGEST_FIRST.find((one) => seconds > 0 && seconds % SECONDS[one] === 0) ?? "minutes";
  return { amount: seconds / SECONDS[unit], unit };
}

export function toSeconds(amount: number, unit: Unit): number {
  return Math.round(amount * SECONDS[unit]);
}

export function toDuration(seconds: number): string {
  const two = (number: number) => String(number).padStart(2, "0");
  const [days, rest] = [Math.floor(seconds / 86_400), seconds % 86_400];
  const clock = `${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  return days > 0 ? `${days} ${clock}` : clock;
}

/** Such as `2 days` or `1 hour`. */
export function inWords(seconds: number): string {
  const { amount, unit } = amountOf(seconds);
  return `${amount.toLocaleString()} ${amount === 1 ? unit.slice(0, -1) : unit}`;
}
