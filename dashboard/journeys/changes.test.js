// Change requests, from the wish to its effect, and the audit log that tells of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { flip, look, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble, served } from "./support/journey.js";

const PROJECT = ["VIEW_PROJECT", "VIEW_AUDIT_LOG"];

journey("change requests", (world) => {
  test("an environment asks for approval", async () => {
    const { page, at, call, key } = world;
    await page.goto(`${at}/settings`);
    await settled(page);
    await look(page, "environment-settings");
    await flip(page.getByRole("switch", { name: "Changes need approval" }));
    await eventually(
      async () => (await call("GET", `/environments/${key}/`)).minimum_change_request_approvals,
      1,
    );
  });

  test("a member asks for a change, which alters nothing yet", async () => {
    const { at, features } = world;
    const rights = { project: PROJECT, environment: ["VIEW_ENVIRONMENT", "CREATE_CHANGE_REQUEST"] };
    const { page } = await member(world, "mia@example.com", rights);
    await page.goto(`${at}/features/${features.banner_text}`);
    await page.getByLabel("Value", { exact: true }).fill("Spring is here");
    await page.getByRole("button", { name: "Review and ask for approval" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Title").fill("Spring banner");
    await dialog.getByLabel("Why").fill("The season begins");
    await look(page, "request-new", { widths: [360, 1440] });
    await dialog.getByRole("button", { name: "Ask for approval" }).click();
    await page.waitForURL(/change-requests/);
    await page.getByRole("heading", { name: "Spring banner" }).waitFor();
    await page.getByText("Spring is here").waitFor();
    assert.equal(await page.getByRole("button", { name: "Publish" }).isDisabled(), true);
    assert.equal((await served(world, "banner_text")).value, "Welcome!");
    noTrouble(page);
    await page.context().close();
  });

  test("a list row asks for approval too", async () => {
    const { page, at } = world;
    await page.goto(`${at}/features`);
    await flip(page.getByRole("switch", { name: "new_checkout is off" }));
    await page.getByRole("dialog").getByText("Review the changes").waitFor();
    await page.getByRole("button", { name: "Go on editing" }).click();
  });

  test("somebody else comments, approves and publishes it", async () => {
    const { page, at } = world;
    await page.goto(`${at}/change-requests`);
    await page.getByRole("link", { name: "Spring banner" }).waitFor();
    await look(page, "requests");
    await page.getByRole("link", { name: "Spring banner" }).click();
    await page.getByPlaceholder("Say something about it").fill("Nice.");
    await page.getByRole("button", { name: "Comment" }).click();
    await page.getByText("Nice.", { exact: true }).waitFor();
    await look(page, "request");
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByText("published").waitFor();
    await eventually(() => served(world, "banner_text"), { enabled: true, value: "Spring is here" });
  });

  test("the audit log tells what was before and after, and is searched", async () => {
    const { page, at } = world;
    await page.goto(`${at}/audit-log`);
    await settled(page);
    await page.getByLabel("Search the log").fill("banner_text");
    await page.waitForURL(/search=banner_text/);
    await settled(page);
    await page.getByRole("button", { expanded: false }).filter({ hasText: "banner_text" }).first().click();
    await settled(page);
    await look(page, "audit-log");
  });

  test("a member without permissions is told so", async () => {
    const { at } = world;
    const { page } = await member(world, "max@example.com", {
      project: ["VIEW_PROJECT"],
      environment: ["VIEW_ENVIRONMENT"],
    });
    await page.goto(`${at}/features`);
    await page.getByRole("link", { name: "banner_text" }).waitFor();
    assert.equal(await page.getByRole("switch", { name: /^banner_text/ }).isDisabled(), true);
    assert.equal(await page.getByRole("button", { name: "New feature" }).count(), 0);
    await page.goto(`${at}/audit-log`);
    await page.getByRole("heading", { name: "You may not see this" }).waitFor();
    await look(page, "no-permission");
    await page.goto("/project/999/environment/nothing/features");
    await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
    noTrouble(page);
    await page.context().close();
    noTrouble(world.page);
  });
});
