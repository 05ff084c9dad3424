// A journey: one browser page, signed in on a program of its own, on each database there is.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { noTrouble, openBrowser, openPage } from "./browser.js";
import { DATABASES, signIn, startServer } from "./server.js";

/**
 * Declares the steps of a journey for each database. `world` is filled before the first of them: `page`, `call` (the API as
 * the administrator), `at` (the address of the development environment), `project`, `environments`, `server`, `browser`.
 * `env` is what the program finds in its environment; a function of the world makes it before the program starts.
 */
export function journey(name, steps, { demo = true, env } = {}) {
  for (const database of DATABASES) {
    describe(`${name}, on ${database}`, { timeout: 900_000 }, () => {
      const world = { database };
      before(async () => {
        const found = typeof env === "function" ? await env(world) : env;
        world.server = await startServer(database, { demo, env: found });
        world.browser = await openBrowser();
        if (demo) Object.assign(world, await inDemo(world.server));
        world.page = await openPage(world.browser, world.server, { token: world.token, database });
      });
      after(async () => {
        // Where the journey ended: the picture to look at first when it did not end well.
        await world.page?.screenshot({ path: join(world.page.shots, `end of ${name}.png`) }).catch(() => {});
        await world.browser?.close();
        await world.server?.stop();
      });
      steps(world);
    });
  }
}

async function inDemo(server) {
  const { token, call } = await signIn(server);
  const [{ id: project, organisation }] = await call("GET", "/projects/?organisation=1");
  const { results: environments } = await call("GET", `/environments/?project=${project}`);
  const [{ api_key: key }] = environments;
  const { results } = await call("GET", `/projects/${project}/features/?page_size=999`);
  const features = Object.fromEntries(results.map((feature) => [feature.name, feature.id]));
  return {
    token,
    call,
    project,
    organisation,
    environments,
    key,
    features,
    at: `/project/${project}/environment/${key}`,
  };
}

/** What an SDK with the client-side key is told of a feature. */
export async function served(world, feature, key = world.key) {
  const answer = await fetch(`${world.server.url}/api/v1/flags/?feature=${feature}`, {
    headers: { "X-Environment-Key": key },
  });
  const { enabled, feature_state_value: value } = await answer.json();
  return { enabled, value };
}

/** Waits until something holds, as somebody does who looks again; what can't be looked at yet does not hold yet. */
export async function eventually(look, expected) {
  const end = Date.now() + 30_000;
  for (;;) {
    try {
      return assert.deepEqual(await look(), expected);
    } catch (difference) {
      if (Date.now() > end) throw difference;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** A member of the organisation with permissions in the development environment, signed in on a page of his own. */
export async function member(world, email, { project = [], environment = [] } = {}) {
  const person = { email, password: "correct-horse-1", first_name: email.split("@")[0], last_name: "" };
  await world.call("POST", `/organisations/${world.organisation}/invites/`, { email, role: "USER" });
  const { results } = await world.call("GET", `/organisations/${world.organisation}/invites/`);
  const invite = results.find((one) => one.email === email);
  const { link } = await world.call("GET", `/organisations/${world.organisation}/invites/${invite.id}/link/`);
  const hash = link.split("/").at(-1);
  const signUp = await fetch(`${world.server.url}/api/v1/auth/users/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...person, last_name: "Member", sign_up_type: "INVITE_EMAIL", invite_hash: hash }),
  });
  const { key: token, id } = await signUp.json();
  await fetch(`${world.server.url}/api/v1/users/join/${hash}/`, {
    method: "POST",
    headers: { Authorization: `Token ${token}` },
  });
  if (project.length > 0)
    await world.call("POST", `/projects/${world.project}/user-permissions/`, {
      user: id,
      permissions: project,
      admin: false,
    });
  if (environment.length > 0)
    await world.call("POST", `/environments/${world.key}/user-permissions/`, {
      user: id,
      permissions: environment,
      admin: false,
    });
  const page = await openPage(world.browser, world.server, { token, database: world.database });
  return { page, token, id };
}

export { noTrouble };
