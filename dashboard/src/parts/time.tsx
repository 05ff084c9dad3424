/** A moment: how long ago, and exactly when for those who point at it. */
import { Text, type TextProps, Tooltip } from "@mantine/core";

export function exactly(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

const SECOND = 1000;
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400 * SECOND],
  ["month", 30 * 86_400 * SECOND],
  ["day", 86_400 * SECOND],
  ["hour", 3600 * SECOND],
  ["minute", 60 * SECOND],
];
const WORDS = new Intl.RelativeTimeFormat("en");

/** How far a moment is from now, in the largest unit that it fills: `3 hours ago`, `in 2 days`. */
export function fromNow(time: string, now = Date.now()): string {
  const away = new Date(time).getTime() - now;
  for (const [unit, length] of UNITS) {
    const count = Math.round(Math.abs(away) / length);
    // Half a minute is no minute yet, but 23 hours and 50 minutes are a day.
    if (Math.abs(away) >= length * 0.9) return WORDS.format(away < 0 ? -count : count, unit);
  }
  return away > 0 ? "in a moment" : "just now";
}

export function Time({ at, ...rest }: { at: string | null | undefined } & TextProps) {
  if (!at)
    return (
      <Text span inherit {...rest}>
        never
      </Text>
    );
  return (
    <Tooltip label={exactly(at)}>
      <Text span inherit {...rest}>
        <time dateTime={at} style={{ whiteSpace: "nowrap" }}>
          {fromNow(at)}
        </time>
      </Text>
    </Tooltip>
  );
}

/** The value of a `datetime-local` field for a moment, in the user's own time zone. */
export function toLocalField(time: Date): string {
  const here = new Date(time.getTime() - time.getTimezoneOffset() * 60 * SECOND);
  return here.toISOString().slice(0, "YYYY-MM-DDTHH:mm".length);
}
