// Says which styles of components did not come with them into what was built: see component-styles.ts.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ASSETS = fileURLToPath(new URL("../dist/assets", import.meta.url));
const STYLES = fileURLToPath(new URL("../node_modules/@mantine/core/styles", import.meta.url));

const read = (folder, ending) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
/** The names that Mantine gives its classes. */
const classes = (text) => new Set(text.match(/\bm_[0-9a-f]{6,8}\b/g));

const used = classes(
  read(ASSETS, ".js")
    .map(({ text }) => text)
    .join("\n"),
);
const styled = classes(
  read(ASSETS, ".css")
    .map(({ text }) => text)
    .join("\n"),
);
const missing = read(STYLES, ".layer.css").filter(({ text }) =>
  [...classes(text)].some((name) => used.has(name) && !styled.has(name)),
);
if (missing.length > 0) {
  console.error(`without their styles: ${missing.map(({ name }) => name).join(", ")}`);
  process.exit(1);
}
