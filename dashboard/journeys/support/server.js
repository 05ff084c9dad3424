// Starts the real program on a database of its own, and stops it.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PROGRAM = process.env.BURGEE_BIN ?? join(ROOT, "target/debug/burgee");
const POSTGRES = process.env.BURGEE_TEST_POSTGRES_URL;

/** The databases there are to try: Postgres when the environment names a server. */
export const DATABASES = POSTGRES ? ["sqlite", "postgres"] : ["sqlite"];

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function onPostgres(statement) {
  const client = new pg.Client({ connectionString: POSTGRES });
  await client.connect();
  await client.query(statement);
  await client.end();
}

async function database(kind, directory) {
  if (kind === "sqlite") return { options: ["--data-dir", directory], drop: async () => {} };
  const name = `dashboard_${process.pid}_${Date.now()}`;
  await onPostgres(`create database ${name}`);
  const url = new URL(POSTGRES);
  url.pathname = `/${name}`;
  const options = ["--data-dir", directory, "--database-url", url.href];
  return { options, drop: () => onPostgres(`drop database ${name} with (force)`) };
}

/** A running program: where it is, who may sign in, its other commands on the same database, and how to stop it. */
export async function startServer(kind, { demo = true, env = {} } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "burgee-dashboard-"));
  const { options, drop } = await database(kind, directory);
  const port = await freePort();
  const args = ["serve", "--listen", `127.0.0.1:${port}`, ...options, ...(demo ? ["--demo"] : [])];
  const child = spawn(PROGRAM, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let output = "";
  const url = `http://127.0.0.1:${port}`;
  const ready = new Promise((resolve, reject) => {
    const hear = (chunk) => {
      output += chunk;
      if (output.includes(`listening on ${url}`) && (!demo || output.includes("client-side key"))) resolve();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the program ended with ${code}:\n${output}`)));
  });
  await ready;
  const [, email, password] = /log in as (\S+) with the password (\S+)/.exec(output) ?? [];
  const stop = async () => {
    child.removeAllListeners("exit");
    child.kill("SIGTERM");
    if (child.exitCode === null) await once(child, "exit");
    await drop();
    rmSync(directory, { recursive: true, force: true });
  };
  const command = async (...args) => (await promisify(execFile)(PROGRAM, [...args, ...options])).stdout;
  return { url, email, password, command, stop };
}

/** The program that plays destinations of audience syncs; it is built beside the program itself. */
const DOUBLES = process.env.BURGEE_DOUBLES_BIN ?? join(dirname(PROGRAM), "burgee-doubles");

/** A LaunchDarkly with one segment; `size` is what it holds, in its own words. */
export async function startLaunchDarkly({ token, segment, limit }) {
  assert.ok(existsSync(DOUBLES), `${DOUBLES} is not there; run: cargo build -p burgee-doubles`);
  const listen = `127.0.0.1:${await freePort()}`;
  const args = ["--listen", listen, "launchdarkly", "--token", token, "--segment", segment];
  const child = spawn(DOUBLES, [...args, "--limit", String(limit)], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  await new Promise((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      output += chunk;
      if (output.includes("instance http")) resolve();
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the double ended with ${code}:\n${output}`)));
  });
  const stop = async () => {
    child.removeAllListeners("exit");
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  };
  return { url: `http://${listen}`, size: () => output.trim().split("\n").at(-1), stop };
}

/** Calls of the API beside the browser: to prepare a journey, and to see what it did. */
export function client(server, token) {
  return async (method, path, body) => {
    const answer = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { "Content-Type": "application/json", ...(token && { Authorization: `Token ${token}` }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  };
}

export async function signIn(server) {
  const { email, password } = server;
  const { key } = await client(server)("POST", "/auth/login/", { email, password });
  return { token: key, call: client(server, key) };
}
