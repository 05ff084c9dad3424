/** Styles that travel with the components they are for. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const STYLES = fileURLToPath(new URL("./node_modules/@mantine/core/styles", import.meta.url));
const ALL = "@mantine/core/styles.layer.css";
/** What no component has, and everything needs. */
const BASE = ["default-css-variables", "baseline", "global"];
const COMPONENT = /\/@mantine\/core\/esm\/(?:[\w-]+\/)+(\w+)\.mjs$/;

const sheet = (name: string) => `@mantine/core/styles/${name}.layer.css`;

/**
 * In a build, each of Mantine's components brings its own styles, and `styles.layer.css` is what is left: pages that use few
 * components load few styles. Components import those they are made of first, which is the order their styles need. While
 * developing, that file is what it is for everybody.
 */
export function componentStyles(): Plugin {
  return {
    name: "component-styles",
    apply: "build",
    enforce: "pre",
    resolveId: (id) => (id === ALL ? "\0base-styles" : undefined),
    load: (id) =>
      id === "\0base-styles" ? BASE.map((name) => `import "${sheet(name)}";`).join("\n") : undefined,
    transform(code, id) {
      const name = COMPONENT.exec(id)?.[1];
      if (!name || !existsSync(`${STYLES}/${name}.layer.css`)) return undefined;
      return { code: `import "${sheet(name)}";\n${code}`, map: null };
    },
  };
}
