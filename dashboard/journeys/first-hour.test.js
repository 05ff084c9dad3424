// The first hour of a team with a fresh installation, from its first administrator to the way back from a change.
import assert from "node:assert/strict";
import { test } from "node:test";
import { flip, openPage } from "./support/browser.js";
import { eventually, journey, noTrouble } from "./support/journey.js";
import { sdk } from "./support/sdk.js";
import { PASSWORD, setUp } from "./support/set-up.js";

const ADA = "ada@example.com";
const GRACE = "grace@example.com";

/** Puts a draft of a flag live, and waits until the page has read it again. */
async function save(page) {
  await page.getByRole("button", { name: "Review and save" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("region", { name: "Unsaved changes" }).waitFor({ state: "detached" });
}

journey(
  "a team's first hour",
  (world) => {
    const pro = { plan: "pro" };

    test("the set-up leads from nothing to the features of a project", async () => {
      await setUp(world, { email: ADA, organisation: "Acme", project: "Web shop" });
      const { call, project, environments, server, key } = world;
      assert.equal((await call("GET", `/projects/${project}/`)).name, "Web shop");
      assert.deepEqual(
        environments.map((one) => one.name),
        ["Development", "Production"],
      );
      world.ask = sdk(server, key);
      assert.deepEqual(await world.ask("welcome_message"), { enabled: true, value: "Hello from Burgee" });
    });

    test("a flag is made and turned on, and an SDK reads it", async () => {
      const { page, at, key, ask } = world;
      await page.getByRole("button", { name: "New feature" }).click();
      const dialog = page.getByRole("dialog", { name: "New feature" });
      await dialog.getByLabel("Name").fill("checkout");
      await dialog.getByLabel("Value", { exact: true }).fill("classic");
      await dialog.getByRole("button", { name: "Create feature" }).click();
      await page.getByRole("heading", { name: "checkout" }).waitFor();
      world.checkout = new URL(page.url()).pathname;
      assert.deepEqual(await ask("checkout"), { enabled: false, value: "classic" });
      await page.getByRole("tab", { name: "Code" }).click();
      await page.locator("pre", { hasText: key }).first().waitFor();
      await page.goto(`${at}/features`);
      await flip(page.getByRole("switch", { name: "checkout is off" }));
      await page.getByRole("switch", { name: "checkout is on" }).waitFor();
      await eventually(() => ask("checkout"), { enabled: true, value: "classic" });
    });

    test("a segment is treated apart", async () => {
      const { page, at, checkout, ask } = world;
      await page.goto(`${at}/segments/new`);
      await page.getByLabel("Name").fill("pro_users");
      await page.getByRole("combobox", { name: "Trait" }).fill("plan");
      await page.keyboard.press("Escape");
      await page.getByRole("textbox", { name: "Value" }).fill("pro");
      await page.getByRole("button", { name: "Create segment" }).click();
      await page.getByRole("heading", { name: "pro_users", level: 1 }).waitFor();
      await page.goto(`${checkout}?tab=segments`);
      await page.getByRole("combobox", { name: "Add an override for a segment" }).click();
      await page.getByRole("option", { name: "pro_users" }).click();
      await page.getByRole("button", { name: "1 pro_users" }).click();
      await page.getByLabel("Value", { exact: true }).fill("express");
      await save(page);
      assert.deepEqual(await ask("checkout", "paula", pro), { enabled: true, value: "express" });
      assert.deepEqual(await ask("checkout", "fred", { plan: "free" }), { enabled: true, value: "classic" });
    });

    test("one identity is treated apart, whatever its segments say", async () => {
      const { page, checkout, ask } = world;
      await page.goto(`${checkout}?tab=identities`);
      await page.getByRole("button", { name: "Override for an identity" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Identifier").fill("paula");
      await dialog.getByLabel("Value", { exact: true }).fill("just for Paula");
      await dialog.getByRole("button", { name: "Save the override" }).click();
      await page.getByRole("link", { name: "paula" }).waitFor();
      assert.deepEqual(await ask("checkout", "paula"), { enabled: true, value: "just for Paula" });
      assert.deepEqual(await ask("checkout", "petra", pro), { enabled: true, value: "express" });
    });

    test("everybody else is split among variations, and stays where he was put", async () => {
      const { page, checkout, ask } = world;
      await page.goto(checkout);
      await page.getByRole("button", { name: "Add a variation" }).click();
      const dialog = page.getByRole("dialog", { name: "New variation" });
      await dialog.getByLabel("Value", { exact: true }).fill("compact");
      await dialog.getByRole("button", { name: "Save the variation" }).click();
      await dialog.waitFor({ state: "detached" });
      await page.getByLabel("Share of compact").fill("50");
      await save(page);
      const people = Array.from({ length: 40 }, (_, index) => `visitor-${index}`);
      const values = () => Promise.all(people.map(async (one) => (await ask("checkout", one)).value));
      const first = await values();
      assert.deepEqual([...new Set(first)].sort(), ["classic", "compact"]);
      assert.deepEqual(await values(), first);
      assert.equal((await ask("checkout", "petra")).value, "express");
    });

    test("from now on versions are kept, and changes need approval", async () => {
      const { page, at, call, key } = world;
      await page.goto(`${at}/settings`);
      await page.getByRole("button", { name: "Keep versions" }).click();
      await page.getByRole("button", { name: "Keep them" }).click();
      await page.getByText("They are kept.").waitFor();
      await flip(page.getByRole("switch", { name: "Changes need approval" }));
      await page.getByLabel("Approvals needed").waitFor();
      const { use_v2_feature_versioning: versions, minimum_change_request_approvals: approvals } = await call(
        "GET",
        `/environments/${key}/`,
      );
      assert.deepEqual({ versions, approvals }, { versions: true, approvals: 1 });
    });

    test("somebody is invited, and joins by the link", async () => {
      const { page, organisation, browser, server, database } = world;
      await page.goto(`/organisation/${organisation}/members`);
      await page.getByRole("button", { name: "Invite", exact: true }).click();
      const dialog = page.getByRole("dialog", { name: "Invite people" });
      await dialog.getByRole("combobox", { name: "E-mail addresses" }).fill(GRACE);
      await page.keyboard.press("Enter");
      await dialog.getByRole("combobox", { name: "As" }).click();
      await page.getByRole("option", { name: "Administrator" }).click();
      await dialog.getByRole("button", { name: "Invite" }).click();
      await page.getByRole("button", { name: `Copy the link for ${GRACE}` }).click();
      await page.getByText("The link is copied.").waitFor();
      const link = await page.evaluate(() => navigator.clipboard.readText());
      const guest = await openPage(browser, server, { database });
      await guest.goto(link);
      await guest.getByRole("button", { name: "Create an account" }).click();
      await guest.getByLabel("First name").fill("Grace");
      await guest.getByLabel("Last name").fill("Hopper");
      await guest.getByLabel("E-mail address").fill(GRACE);
      await guest.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
      await guest.getByRole("button", { name: "Create account" }).click();
      await guest.getByRole("button", { name: "Join" }).click();
      await guest.getByRole("button", { name: "Organisation: Acme" }).waitFor();
      world.guest = guest;
      await page.reload();
      await page.getByText("Grace Hopper").waitFor();
    });

    test("a change is asked for, and nothing changes yet", async () => {
      const { page, checkout, ask } = world;
      await page.goto(checkout);
      await page.getByLabel("Value", { exact: true }).fill("one page");
      await page.getByRole("button", { name: "Review and ask for approval" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Title").fill("Checkout on one page");
      await dialog.getByRole("combobox", { name: "Reviewers" }).click();
      await page.getByRole("option", { name: "Grace Hopper" }).click();
      await page.keyboard.press("Escape");
      await dialog.getByRole("button", { name: "Ask for approval" }).click();
      await page.getByRole("heading", { name: "Checkout on one page" }).waitFor();
      assert.equal(await page.getByRole("button", { name: "Publish" }).isDisabled(), true);
      assert.equal(await page.getByRole("button", { name: "Approve" }).count(), 0);
      assert.equal((await ask("checkout")).value, "classic");
    });

    test("the second person looks at it and approves, the first publishes it", async () => {
      const { page, guest, at, ask } = world;
      await guest.goto(`${at}/change-requests`);
      await guest.getByRole("link", { name: "Checkout on one page" }).click();
      await guest.getByText("one page", { exact: true }).waitFor();
      await guest.getByRole("button", { name: "Approve" }).click();
      await guest.getByText("approved", { exact: true }).waitFor();
      noTrouble(guest);
      assert.equal((await ask("checkout")).value, "classic");
      await page.reload();
      await page.getByRole("button", { name: "Publish" }).click();
      await page.getByText("published").waitFor();
      await eventually(() => ask("checkout"), { enabled: true, value: "one page" });
    });

    test("the audit log tells who did it", async () => {
      const { guest, at } = world;
      await guest.goto(`${at}/audit-log`);
      await guest.getByLabel("Search the log").fill("Checkout on one page");
      await guest.waitForURL(/search=Checkout/);
      const entries = guest.getByRole("button", { expanded: false, name: /Checkout on one page/ });
      await entries.filter({ hasText: ADA }).first().waitFor();
      await entries.filter({ hasText: "Grace Hopper" }).first().waitFor();
    });

    test("the state before is restored from the history, and overrides stay", async () => {
      const { page, at, checkout, ask } = world;
      await page.goto(`${at}/settings`);
      await flip(page.getByRole("switch", { name: "Changes need approval" }));
      await page.getByLabel("Approvals needed").waitFor({ state: "detached" });
      await page.goto(`${checkout}?tab=history`);
      const history = page.getByRole("tabpanel", { name: "History" });
      await history.getByRole("button", { name: "What changed" }).first().click();
      await history.getByText("one page", { exact: true }).waitFor();
      await history.getByRole("button", { name: "Restore" }).first().click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("button", { name: "Restore" }).click();
      await dialog.waitFor({ state: "detached" });
      await eventually(() => ask("checkout"), { enabled: true, value: "classic" });
      assert.equal((await ask("checkout", "petra")).value, "express");
      assert.equal((await ask("checkout", "paula")).value, "just for Paula");
      noTrouble(page);
      noTrouble(world.guest);
    });
  },
  { demo: false },
);
