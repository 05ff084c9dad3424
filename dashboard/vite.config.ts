import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { componentStyles } from "./component-styles";

/** Where a server runs while the dashboard is worked on: `cargo run -- serve --demo`. */
const server = process.env.BURGEE_URL ?? "http://127.0.0.1:8000";
const passedOn = ["/api", "/config", "/health", "/version", "/o/", "/ofrep", "/sse"];

/** Of the flags that drive the dashboard, what they are for is of no use in browsers. */
const withoutWords: Plugin = {
  name: "flags-without-words",
  enforce: "pre",
  load(id) {
    if (!id.endsWith("/own-flags/flags.json")) return null;
    const flags: Record<string, { enabled: boolean; value: unknown }> = JSON.parse(readFileSync(id, "utf8"));
    const states = Object.entries(flags).map(([name, { enabled, value }]) => [name, { enabled, value }]);
    return JSON.stringify(Object.fromEntries(states));
  },
};

export default defineConfig({
  plugins: [
    withoutWords,
    componentStyles(),
    tanstackRouter({ target: "react", autoCodeSplitting: true }),
    react(),
  ],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { proxy: Object.fromEntries(passedOn.map((path) => [path, server])) },
  build: {
    target: "es2022",
    assetsDir: "assets",
    sourcemap: false,
    chunkSizeWarningLimit: 700,
    // What many pages share travels as one file: a hundred small ones cost as many questions, and compress badly. Of the
    // numbers tried, this one makes the first page smallest.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "common", minShareCount: 15 }] } } },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test/setup.ts"],
    restoreMocks: true,
  },
});
