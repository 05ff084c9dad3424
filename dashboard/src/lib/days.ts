/** Days as the API writes them in what it counts: `2026-11-21`, of UTC. */

const DAY = 24 * 3600 * 1000;

/** All days from so many days ago to so many days ago, both included. */
export function daysAgo(from: number, to: number, now = Date.now()): string[] {
  return Array.from({ length: from - to + 1 }, (_, place) =>
    new Date(now - (from - place) * DAY).toISOString().slice(0, 10),
  );
}
