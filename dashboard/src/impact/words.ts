/** Numbers of previews in words: exact ones, and those that are estimated. */
import type { Schema } from "~/api/client";

type Count = Schema<"CountView">;

const plain = new Intl.NumberFormat("en");
const round = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export function isExact({ count, low, high }: Count): boolean {
  return count === low && count === high;
}

/** `12`, or `about 12,300`. */
export function words(count: Count): string {
  return isExact(count) ? plain.format(count.count) : `about ${round.format(count.count)}`;
}

/** `between 11,900 and 12,800`; nothing of an exact number. */
export function bounds(count: Count): string | undefined {
  return isExact(count) ? undefined : `between ${plain.format(count.low)} and ${plain.format(count.high)}`;
}

export function all(number: number): string {
  return plain.format(number);
}

/** Begins as sentences do. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
