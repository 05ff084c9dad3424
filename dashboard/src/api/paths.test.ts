import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "..");
const DOCUMENT = join(import.meta.dirname, "../../../docs/openapi.json");

function sources(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) return sources(path);
    return /\.tsx?$/.test(name) && !/\.test\.|\.d\.ts$/.test(name) ? [path] : [];
  });
}

test("no page calls what the document of the API does not have", () => {
  const { paths } = JSON.parse(readFileSync(DOCUMENT, "utf8")) as { paths: Record<string, object> };
  const called = sources(SOURCE).flatMap((file) => {
    const calls = readFileSync(file, "utf8").matchAll(
      /\b(GET|POST|PUT|PATCH|DELETE)\(\s*"(\/[^"]+)"|\b(?:useQuery|queryOptions)\(\s*"(\w+)",\s*"(\/[^"]+)"/g,
    );
    return [...calls].map(
      ([, verb, path, method, read]) =>
        [file, (verb ?? method ?? "").toLowerCase(), path ?? read ?? ""] as const,
    );
  });
  expect(called.length).toBeGreaterThan(80);
  for (const [file, method, path] of called) {
    expect(Object.keys(paths[path] ?? {}), `${file}: ${method} ${path}`).toContain(method);
  }
});
