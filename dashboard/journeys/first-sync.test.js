// The first audience sync of a fresh installation: rows of a database into a segment at LaunchDarkly, and what keeps them safe.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, journey, noTrouble } from "./support/journey.js";
import { startLaunchDarkly } from "./support/server.js";
import { setUp } from "./support/set-up.js";

const TOKEN = "api-first";
const SEGMENT = "shop/production/big-spenders";

/** Requests that the destination takes in ten seconds, each of at most 1,500 rows. */
const LIMIT = 4;

/** Where the server finds databases. */
const FOLDER = mkdtempSync(join(tmpdir(), "burgee-shop-"));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

const SHOP = `
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as shop:
    shop.execute("drop table if exists customers")
    shop.execute("create table customers (user_id text primary key, spent integer not null)")
    rows = ((f"user-{n}", 2000 if n < int(sys.argv[2]) else 10) for n in range(int(sys.argv[2]) + 100))
    shop.executemany("insert into customers values (?, ?)", rows)
`;

/** A shop where so many have spent much, and a hundred have not. */
function bigSpenders(count) {
  execFileSync("python3", ["-c", SHOP, join(FOLDER, "shop.db"), String(count)]);
}

journey(
  "a first audience sync",
  (world) => {
    const api = (path) => `/organisations/${world.organisation}/audience-sync/${path}`;
    const holds = (members) =>
      eventually(() => world.double.size().split(" after")[0], `${SEGMENT}: ${members} included, 0 excluded`);
    const states = async () => (await world.call("GET", api("runs/"))).results.map((run) => run.state);

    before(async () => {
      world.double = await startLaunchDarkly({ token: TOKEN, segment: SEGMENT, limit: LIMIT });
      bigSpenders(1_200);
    });
    after(() => world.double?.stop());

    test("a new organisation begins without syncs", async () => {
      await setUp(world, { email: "ada@example.com", organisation: "Acme", project: "Web shop" });
      const { page, organisation } = world;
      await page.goto(`/organisation/${organisation}`);
      await page.getByRole("link", { name: "Audience sync" }).click();
      await page.getByRole("heading", { name: "No syncs yet" }).waitFor();
      await page.getByRole("button", { name: "New sync" }).click();
    });

    test("rows are chosen by a statement on a database", async () => {
      const { page, call } = world;
      await page.getByLabel("Name").fill("shop");
      await page.getByText("SQLite", { exact: true }).click();
      await page.getByRole("textbox", { name: "File" }).fill("shop.db");
      await page.getByRole("button", { name: "Save the source" }).click();
      await page.getByRole("heading", { name: "Which rows?" }).waitFor();
      await page.getByLabel("Name").fill("big_spenders");
      await page.getByLabel("SQL").fill("select user_id from customers where spent >= 1000");
      await page.getByLabel("Key column").fill("user_id");
      await page.getByRole("button", { name: "Save the model" }).click();
      await page.getByRole("heading", { name: "Where do they go?" }).waitFor();
      assert.deepEqual((await call("GET", api("sources/shop/"))).content, {
        driver: "sqlite",
        path: "shop.db",
      });
    });

    test("they go to a segment at LaunchDarkly, and the plan is looked at before anything is sent", async () => {
      const { page, double } = world;
      await page.getByLabel("Name").fill("launchdarkly");
      await page.getByText("LaunchDarkly", { exact: true }).click();
      await page.getByRole("combobox", { name: "API instance" }).click();
      await page.getByRole("option", { name: "Another address" }).click();
      await page.getByLabel("Address of the instance").fill(double.url);
      await page.getByRole("textbox", { name: "Access token" }).fill(TOKEN);
      await page.getByLabel("Project key").fill("shop");
      await page.getByLabel("Environment key").fill("production");
      await page.getByRole("button", { name: "Save the destination" }).click();
      await page.getByRole("heading", { name: "What happens", exact: true }).waitFor();
      await page.getByLabel("Name").fill("spenders");
      await page.getByLabel("Segment key").fill("big-spenders");
      await page.getByRole("button", { name: "Save and preview" }).click();
      await page.getByText("1,200").first().waitFor();
      await page.getByText("+ user-", { exact: false }).first().waitFor();
      await holds(0);
    });

    test("it runs, and the segment has its members", async () => {
      const { page } = world;
      await page.getByRole("button", { name: "Save and run" }).click();
      await page.waitForURL(/audience-sync\/runs\/\d+/);
      await page.getByText("done", { exact: true }).waitFor();
      await holds(1_200);
      assert.deepEqual(await states(), ["done", "planned"]);
    });

    test("a run that would lose most rows is held, and sends nothing", async () => {
      const { page } = world;
      bigSpenders(300);
      await page.getByRole("button", { name: "Run now" }).click();
      await page.getByText("Held by a guard rail").waitFor();
      await page.getByText("900 of 1200 members would be removed", { exact: false }).waitFor();
      await holds(1_200);
    });

    test("who looked at it sends it, after the name was typed", async () => {
      const { page } = world;
      await page.getByRole("button", { name: "Approve and send" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Type spenders to confirm").fill("spenders");
      await dialog.getByRole("button", { name: "Approve and send" }).click();
      await page.getByText("done", { exact: true }).waitFor();
      await holds(300);
      assert.deepEqual(await states(), ["done", "dropped", "done", "planned"]);
    });

    test("a run under way is stopped, and what was sent stays", async () => {
      const { page } = world;
      // More than the destination takes in twenty seconds.
      bigSpenders(14_300);
      await page.getByRole("button", { name: "Run now" }).click();
      const delivered = page.getByText(/^[1-9][\d,]* of 14,000 delivered/);
      await delivered.waitFor();
      await page.getByRole("button", { name: "Stop", exact: true }).click();
      const dialog = page.getByRole("dialog", { name: /^Stop run/ });
      await dialog.getByRole("button", { name: "Stop it" }).click();
      await page.getByText("stopped", { exact: true }).waitFor();
      assert.equal((await states())[0], "stopped");
      const members = () => Number(/(\d+) included/.exec(world.double.size())[1]);
      assert.ok(members() > 300 && members() < 14_300, `${members()} members`);
    });

    test("the history has every run, and who began it", async () => {
      const { page, organisation } = world;
      await page.goto(`/organisation/${organisation}/audience-sync/runs`);
      const rows = page.getByRole("row").filter({ hasText: "spenders, run" });
      await rows.first().waitFor();
      for (const [place, state] of ["stopped", "done", "dropped", "done", "planned"].entries())
        await rows.nth(place).getByText(state, { exact: true }).waitFor();
      assert.equal(await rows.count(), 5);
      await rows.first().getByText("ada@example.com", { exact: false }).waitFor();
      noTrouble(page);
    });
  },
  {
    demo: false,
    env: { BURGEE_AUDIENCE_SYNC_FOLDER: FOLDER, BURGEE_OUTBOUND_ALLOW_PRIVATE_ADDRESSES: "true" },
  },
);
