// An audience from a file into a segment at LaunchDarkly: set up, planned, held, approved, looked up.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { flip, look, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble } from "./support/journey.js";
import { startLaunchDarkly } from "./support/server.js";

const TOKEN = "api-journey";

/** Where the server finds files. */
const FOLDER = mkdtempSync(join(tmpdir(), "burgee-files-"));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

/** Requests that the destination takes in ten seconds. */
const LIMIT = 12;

/** Rows `from` to `to`, and one without a key where it is wished for. */
function people(from, to, { broken = false } = {}) {
  const keys = Array.from({ length: to - from }, (_, index) => `user-${from + index}`);
  const lines = ["user_id,tier", ...keys.map((key) => `${key},gold`), ...(broken ? [",silver"] : [])];
  writeFileSync(join(FOLDER, "people.csv"), `${lines.join("\n")}\n`);
}

/** Chooses an option of a field that has them. */
async function choose(page, label, option) {
  await page.getByRole("combobox", { name: label }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

/** Waits until the segment at LaunchDarkly has so many members. */
function holds({ double }, members) {
  const told = `shop/production/high-value: ${members} included, 0 excluded`;
  return eventually(() => double.size().split(" after")[0], told);
}

journey(
  "audience syncs",
  (world) => {
    const sync = (path) => `/organisation/${world.organisation}/audience-sync${path}`;
    const api = (path) => `/organisations/${world.organisation}/audience-sync/${path}`;
    const latest = async () => (await world.call("GET", api("runs/"))).results[0];

    before(async () => {
      const double = { token: TOKEN, segment: "shop/production/high-value", limit: LIMIT };
      world.double = await startLaunchDarkly(double);
      people(0, 9_000);
    });
    after(() => world.double?.stop());

    test("the path leads from a folder of files to a model", async () => {
      const { page, organisation } = world;
      await page.goto(`/organisation/${organisation}`);
      await page.getByRole("link", { name: "Audience sync" }).click();
      await page.getByRole("heading", { name: "No syncs yet" }).waitFor();
      await look(page, "syncs-empty");
      await page.getByRole("button", { name: "New sync" }).click();
      await page.getByLabel("Name").fill("exports");
      await page.getByText("Files", { exact: true }).click();
      await page.getByLabel("Folder").fill(".");
      await look(page, "sync-wizard-1-source");
      await page.getByRole("button", { name: "Save the source" }).click();
      await page.getByRole("heading", { name: "Which rows?" }).waitFor();
      await page.getByLabel("Name").fill("customers");
      await page.getByRole("textbox", { name: "File", exact: true }).fill("../people.csv");
      await page.getByLabel("Key column").fill("user_id");
      await look(page, "sync-wizard-2-model");
      await page.getByRole("button", { name: "Save the model" }).click();
      await page.getByRole("heading", { name: "Where do they go?" }).waitFor();
    });

    test("a destination at LaunchDarkly is made, and its token is shown never again", async () => {
      const { page, call, double } = world;
      await page.getByLabel("Name").fill("launchdarkly");
      await page.getByText("LaunchDarkly", { exact: true }).click();
      await choose(page, "API instance", "Another address");
      await page.getByLabel("Address of the instance").fill(double.url);
      await page.getByRole("textbox", { name: "Access token" }).fill(TOKEN);
      await page.getByLabel("Project key").fill("shop");
      await page.getByLabel("Environment key").fill("production");
      await look(page, "sync-wizard-3-destination");
      await page.getByRole("button", { name: "Save the destination" }).click();
      await page.getByRole("heading", { name: "What happens", exact: true }).waitFor();
      const { content } = await call("GET", api("destinations/launchdarkly/"));
      assert.deepEqual(content, {
        type: "launchdarkly",
        instance: double.url,
        token: "********",
        project: "shop",
        environment: "production",
      });
    });

    test("what is wrong is told where it is", async () => {
      const { page } = world;
      await page.getByLabel("Name").fill("high_value");
      await page.getByLabel("Segment key").fill("high-value");
      await page.getByRole("button", { name: "Save and preview" }).click();
      await page.getByText("file: must lie inside the folder for files").waitFor();
      await page.getByRole("button", { name: "Back" }).click();
      await page.getByRole("button", { name: "Back" }).click();
      await page.getByRole("link", { name: "Models" }).click();
      await page.getByRole("button", { name: "customers", exact: true }).click();
      await page.getByRole("textbox", { name: "File", exact: true }).fill("people.csv");
      await page.getByRole("button", { name: "Save the model" }).click();
      await page.getByRole("dialog").waitFor({ state: "hidden" });
      await look(page, "sync-models");
    });

    test("the plan is looked at before anything is sent, and then it runs", async () => {
      const { page } = world;
      await page.goto(sync("/new"));
      for (const name of ["exports", "customers", "launchdarkly"]) {
        await flip(page.getByRole("radio", { name }));
        await page.getByRole("button", { name: "Go on" }).click();
      }
      await page.getByLabel("Name").fill("high_value");
      await page.getByLabel("Segment key").fill("high-value");
      await look(page, "sync-wizard-4-mode");
      await page.getByRole("button", { name: "Save and preview" }).click();
      await page.getByText("9,000").first().waitFor();
      await page.getByText("+ user-", { exact: false }).first().waitFor();
      await look(page, "sync-wizard-5-preview");
      await holds(world, 0);
      await page.getByText("By the clock", { exact: true }).click();
      await page.getByLabel("Cron expression").fill("61 6 * * *");
      await page.getByRole("button", { name: "Save and run" }).click();
      await page
        .getByRole("textbox", { name: "Cron expression" })
        .and(page.locator("[aria-invalid=true]"))
        .waitFor();
      await look(page, "sync-wizard-6-schedule", { widths: [360, 1440] });
      await page.getByLabel("Cron expression").fill("30 6 * * *");
      await page.getByRole("combobox", { name: "Time zone" }).fill("Berlin");
      await page.getByRole("option", { name: "Europe/Berlin" }).click();
      await page.getByRole("button", { name: "Save and run" }).click();
      await page.waitForURL(/audience-sync\/runs\/\d+/);
      await page.getByText("done", { exact: true }).waitFor();
      await look(page, "sync-run-done");
      await holds(world, 9000);
      const { content, next_run_at } = await world.call("GET", api("syncs/high_value/"));
      assert.deepEqual(content.schedule, { cron: "30 6 * * *", tz: "Europe/Berlin" });
      assert.equal(content.enabled, undefined);
      assert.ok(next_run_at);
    });

    test("a run that would remove too many is held, and sent once somebody approves", async () => {
      const { page } = world;
      people(0, 3_000, { broken: true });
      await page.goto(sync("/syncs/high_value"));
      await settled(page);
      await look(page, "sync");
      await page.getByRole("button", { name: "Run now" }).click();
      await page.getByText("Held by a guard rail").waitFor();
      await page.getByText("6000 of 9000 members would be removed", { exact: false }).waitFor();
      await look(page, "sync-run-held");
      await page.goto(sync(""));
      await page.getByText("One run waits for a decision").waitFor();
      await look(page, "syncs");
      await page.getByRole("link", { name: /^high_value, run/ }).click();
      await page.getByRole("button", { name: "Approve and send" }).click();
      const dialog = page.getByRole("dialog");
      assert.equal(await dialog.getByRole("button", { name: "Approve and send" }).isDisabled(), true);
      await dialog.getByLabel("Type high_value to confirm").fill("high_value");
      await look(page, "sync-run-approve", { widths: [360, 1440] });
      await dialog.getByRole("button", { name: "Approve and send" }).click();
      await page.getByText("partly done", { exact: true }).waitFor();
      await holds(world, 3000);
    });

    test("the row that could not be sent is listed, and comes as a file", async () => {
      const { page } = world;
      await page.getByRole("heading", { name: "Rows that were not taken" }).waitFor();
      await look(page, "sync-run-errors");
      const arriving = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download as CSV" }).click();
      const file = await arriving;
      assert.match(file.suggestedFilename(), /^high_value-run-\d+-errors\.csv$/);
      const [header, ...rows] = readFileSync(await file.path(), "utf8")
        .trim()
        .split("\n");
      assert.equal(header.trim(), "key,op,reason");
      assert.equal(rows.length, 1);
    });

    test("the history has every run, by its state", async () => {
      const { page } = world;
      await page.goto(sync("/runs"));
      await page
        .getByRole("link", { name: /^high_value, run/ })
        .first()
        .waitFor();
      await look(page, "sync-runs");
      await choose(page, "In which state", "dropped");
      await page.waitForURL(/state=dropped/);
      await eventually(() => page.getByRole("link", { name: /^high_value, run/ }).count(), 1);
    });

    test("the palette leads to a sync by its name", async () => {
      const { page } = world;
      await page.goto(sync("/destinations"));
      await settled(page);
      await page.keyboard.press("Control+k");
      await page.getByPlaceholder("Go to a page").fill("high_val");
      await page.getByRole("button", { name: /^high_value/ }).waitFor();
      await page.keyboard.press("Enter");
      await page.waitForURL(/audience-sync\/syncs\/high_value/);
      await page.getByRole("heading", { name: "high_value" }).waitFor();
    });

    test("settings are edited, paused and put back; a kept secret stays", async () => {
      const { page, call } = world;
      people(0, 3_000);
      await page.goto(sync("/destinations"));
      await page.getByRole("button", { name: "launchdarkly", exact: true }).click();
      const dialog = page.getByRole("dialog");
      assert.equal(await dialog.getByRole("textbox", { name: "Access token" }).inputValue(), "");
      await look(page, "sync-destination", { widths: [360, 1440] });
      await dialog.getByLabel("Address of the instance").fill("http://127.0.0.1:9");
      await dialog.getByRole("button", { name: "Save the destination" }).click();
      await dialog.getByText("Must be given in full", { exact: false }).waitFor();
      await dialog.getByLabel("Address of the instance").fill(world.double.url);
      await dialog.getByRole("button", { name: "Save the destination" }).click();
      await dialog.waitFor({ state: "hidden" });
      await page.goto(sync("/syncs/high_value?tab=settings"));
      await settled(page);
      await page.getByLabel("Removes at most").fill("10");
      await look(page, "sync-settings");
      await page.getByRole("button", { name: "Save the sync" }).click();
      await eventually(async () => (await call("GET", api("syncs/high_value/"))).content.guards, {
        max_remove_pct: 10,
      });
      await page.getByRole("button", { name: "Pause" }).click();
      await page.getByRole("button", { name: "Resume" }).waitFor();
      const paused = await call("GET", api("syncs/high_value/"));
      assert.equal(paused.next_run_at, null);
      assert.deepEqual(paused.content.guards, { max_remove_pct: 10 }, "what was saved just before stays");
      await call("POST", api("syncs/high_value/trigger/"));
      await eventually(async () => (await latest()).state, "done");
    });

    test("a list segment of this server is picked, not typed", async () => {
      const { page, call, project, key } = world;
      await call("POST", `/projects/${project}/list-segments/`, { name: "Testers" });
      await page.goto(sync("/destinations"));
      await page.getByRole("button", { name: "New destination" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Name").fill("here");
      await dialog.getByText("This server", { exact: true }).click();
      const { name } = (await call("GET", `/projects/?organisation=${world.organisation}`)).find(
        (one) => one.id === project,
      );
      await choose(page, "Project", name);
      await choose(page, "Environment", world.environments[0].name);
      await dialog.getByRole("button", { name: "Save the destination" }).click();
      await dialog.waitFor({ state: "hidden" });
      await page.goto(sync("/new"));
      for (const name of ["exports", "customers", "here"]) {
        await flip(page.getByRole("radio", { name }));
        await page.getByRole("button", { name: "Go on" }).click();
      }
      await page.getByLabel("Name").fill("testers");
      await choose(page, "List segment", "Testers (0 members)");
      await look(page, "sync-wizard-4-list-segment", { widths: [360, 1440] });
      await page.getByRole("button", { name: "Save and preview" }).click();
      await page.getByText("3,000").first().waitFor();
      await page.getByText("After another sync", { exact: true }).click();
      await choose(page, "After", "high_value");
      await page.getByRole("button", { name: "Save and run" }).click();
      await page.getByText("done", { exact: true }).waitFor();
      const { included } = await call("GET", `/environments/${key}/list-segments/testers/`);
      assert.equal(included, 3_000);
    });

    test("columns become traits of identities at Flagsmith, which this server is as well", async () => {
      const { page, call, key, server } = world;
      people(0, 5);
      const { key: secret } = await call("POST", `/environments/${key}/api-keys/`, { name: "Audience sync" });
      await page.goto(sync("/new"));
      for (const name of ["exports", "customers"]) {
        await flip(page.getByRole("radio", { name }));
        await page.getByRole("button", { name: "Go on" }).click();
      }
      await flip(page.getByRole("radio", { name: "A new destination" }));
      await page.getByLabel("Name").fill("flags");
      await page.getByRole("combobox", { name: "API instance" }).fill(`${server.url}/api/v1`);
      await page.getByRole("textbox", { name: "Server-side environment key" }).fill(secret);
      await page.getByLabel("Trait key prefix").fill("crm_");
      await page.getByRole("button", { name: "Save the destination" }).click();
      await page.getByRole("heading", { name: "What happens", exact: true }).waitFor();
      await page.getByLabel("Name").fill("tiers");
      await flip(page.getByRole("radio", { name: "Upsert traits" }));
      assert.equal(
        await page.getByLabel("Column of identifier").inputValue(),
        "user_id",
        "as the model says",
      );
      await page.getByRole("button", { name: "Add a trait" }).click();
      await page.getByLabel("Trait 1", { exact: true }).fill("tier");
      await page.getByLabel("Column of trait 1").fill("tier");
      await look(page, "sync-wizard-4-traits");
      await page.getByRole("button", { name: "Save and preview" }).click();
      await page.getByText("+ user-3").waitFor();
      await page.getByText("At intervals", { exact: true }).click();
      await page.getByLabel("How many").fill("6");
      await page.getByRole("button", { name: "Save and run" }).click();
      await page.getByText("done", { exact: true }).waitFor();
      const { content } = await call("GET", api("syncs/tiers/"));
      assert.deepEqual(content.map, { identifier: "user_id", tier: "tier" });
      assert.deepEqual(content.schedule, { every_minutes: 360 });
      const answer = await fetch(`${server.url}/api/v1/identities/?identifier=user-3`, {
        headers: { "X-Environment-Key": key },
      });
      const [{ trait_key, trait_value }] = (await answer.json()).traits;
      assert.deepEqual([trait_key, trait_value], ["crm_tier", "gold"]);
    });

    test("everything is taken out as YAML, changed and put back", async () => {
      const { page, call } = world;
      await page.goto(sync("/document"));
      const document = page.getByRole("textbox", { name: "The document" });
      const text = await document.inputValue();
      assert.match(text, /token: ['"]?\*{8}/);
      await page.getByRole("button", { name: "Check it" }).click();
      await page.getByText("It would change nothing").waitFor();
      const arriving = page.waitForEvent("download");
      await page.getByRole("button", { name: "Export" }).click();
      assert.equal(readFileSync(await (await arriving).path(), "utf8"), text);
      await document.fill(`${text}channels:\n  ops: {type: email, to: [ops@example.com]}\n`);
      await page.getByRole("button", { name: "Check it" }).click();
      await page.getByText("channels.ops").waitFor();
      await page.getByRole("button", { name: "Show the differences" }).click();
      await page.getByText("+ channels:").waitFor();
      await look(page, "sync-document");
      await page.getByRole("button", { name: "Put it in" }).click();
      await eventually(async () => (await call("GET", api("channels/"))).count, 1);
      await eventually(async () => /type: email\n/.test(await document.inputValue()), true);
      await document.fill("syncs: {broken: {}}\n");
      await page.getByRole("button", { name: "Check it" }).click();
      await page.getByRole("alert").filter({ hasText: "syncs.broken" }).waitFor();
      await page
        .locator("input[type=file]")
        .setInputFiles({ name: "x.yaml", mimeType: "application/yaml", buffer: Buffer.from(text) });
      await eventually(() => document.inputValue(), text);
    });

    test("what is used can't be deleted, what is not can", async () => {
      const { page, call } = world;
      await page.goto(sync("/channels"));
      await page.getByRole("button", { name: "Delete the channel ops" }).click();
      await page.getByLabel("Type ops to confirm").fill("ops");
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await page.getByRole("heading", { name: "No channels yet" }).waitFor();
      await page.goto(sync("/sources"));
      await look(page, "sync-sources");
      await page.getByRole("button", { name: "Delete the source exports" }).click();
      await page.getByText("It is used by customers: change that first.").waitFor();
      await page.getByLabel("Type exports to confirm").fill("exports");
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await page.getByRole("dialog").getByText("there is no", { exact: false }).waitFor();
      await page.goto(sync("/syncs/testers?tab=settings"));
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await page.getByLabel("Type testers to confirm").fill("testers");
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await page.waitForURL(/audience-sync\/?$/);
      assert.equal((await call("GET", api("syncs/"))).count, 2);
    });

    test("who does not administer the organisation is told so", async () => {
      const { page } = await member(world, "sue@example.com");
      await page.goto(sync(""));
      await page.getByRole("heading", { name: "You may not see this" }).waitFor();
      await look(page, "syncs-no-permission", { widths: [360, 1440] });
      noTrouble(page);
      await page.context().close();
      noTrouble(world.page);
    });
  },
  {
    env: { BURGEE_AUDIENCE_SYNC_FOLDER: FOLDER, BURGEE_OUTBOUND_ALLOW_PRIVATE_ADDRESSES: "true" },
  },
);
