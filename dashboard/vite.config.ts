import { fileURLToPath } from "node:url";
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where a server runs while the dashboard is worked on: `cargo run -- serve --demo`. */
const server = process.env.BURGEE_URL ?? "http://127.0.0.1:8000";
const passedOn = ["/api", "/config", "/health", "/version", "/o/", "/ofrep", "/sse"];

export default defineConfig({
  plugins: [tanstackRouter({ target: "react", autoCodeSplitting: true }), react()],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { proxy: Object.fromEntries(passedOn.map((path) => [path, server])) },
  build: { target: "es2022", assetsDir: "assets", sourcemap: false, chunkSizeWarningLimit: 700 },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test/setup.ts"],
    restoreMocks: true,
  },
});
