// Segments and identities.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, settled } from "./support/browser.js";
import { eventually, journey, noTrouble } from "./support/journey.js";

async function evaluated(world, identifier, feature) {
  const answer = await fetch(`${world.server.url}/api/v1/identities/?identifier=${identifier}`, {
    headers: { "X-Environment-Key": world.key },
  });
  const { flags } = await answer.json();
  const flag = flags.find((one) => one.feature.name === feature);
  return { enabled: flag.enabled, value: flag.feature_state_value };
}

/** By its app's version: the beta testers are every tenth identity with a recent one, drawn anew with each environment's key. */
async function leaveBeta(world, identifier) {
  const answer = await fetch(`${world.server.url}/api/v1/identities/`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Environment-Key": world.key },
    body: JSON.stringify({ identifier, traits: [{ trait_key: "app_version", trait_value: "3.9.1" }] }),
  });
  assert.equal(answer.status, 200);
}

journey("segments and identities", (world) => {
  test("a segment is built of groups and conditions", async () => {
    const { page, at, call, project } = world;
    await page.goto(`${at}/segments`);
    await page.getByRole("link", { name: "beta_testers" }).waitFor();
    await look(page, "segments");
    await page.getByRole("button", { name: "New segment" }).click();
    await page.getByLabel("Name").fill("early_birds");
    await page.getByRole("button", { name: "Create segment" }).click();
    await page.getByText("One condition is not complete.").waitFor();
    await page.getByRole("combobox", { name: "Trait" }).first().fill("plan");
    await page.keyboard.press("Escape");
    await page.getByRole("combobox", { name: "Operator" }).click();
    await page.getByRole("option", { name: "is one of" }).click();
    await page.getByRole("combobox", { name: "Values" }).fill("pro");
    await page.keyboard.press("Enter");
    await page.getByRole("combobox", { name: "Values" }).fill("team");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Add a group" }).click();
    const second = page.getByTestId("condition").nth(1);
    await second.getByRole("combobox", { name: "Operator" }).click();
    await page.getByRole("option", { name: "is in a share of" }).click();
    await second.getByLabel("Share").fill("50");
    await look(page, "segment-new");
    await page.getByRole("button", { name: "Create segment" }).click();
    await page.getByRole("heading", { name: "early_birds", level: 1 }).waitFor();
    const { results } = await call("GET", `/projects/${project}/segments/?q=early_birds`);
    const groups = results[0].rules[0].rules;
    assert.deepEqual(
      groups.map((group) => group.conditions.map((one) => [one.property, one.operator, one.value])),
      [[["plan", "IN", "pro,team"]], [[null, "PERCENTAGE_SPLIT", "50"]]],
    );
  });

  test("a segment says where it is used, and goes after its name was typed", async () => {
    const { page, at, call, project } = world;
    await page.goto(`${at}/segments`);
    await page.getByRole("link", { name: "paying_customers" }).click();
    await page.getByRole("link", { name: "new_checkout" }).first().waitFor();
    await look(page, "segment");
    await page.goto(`${at}/segments`);
    await page.getByRole("link", { name: "early_birds" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("early_birds");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await eventually(
      async () => (await call("GET", `/projects/${project}/segments/?q=early_birds`)).count,
      0,
    );
  });

  test("an identity shows what it gets and why, and is overridden", async () => {
    const { page, at } = world;
    await leaveBeta(world, "ada");
    await page.goto(`${at}/identities`);
    await look(page, "identities");
    await page.getByLabel("Search identities").fill("ad");
    await page.waitForURL(/q=ad/);
    await page.getByRole("link", { name: "ada" }).click();
    await page.getByRole("cell", { name: "paying_customers" }).first().waitFor();
    await look(page, "identity");
    await page.getByRole("button", { name: "Override search_settings" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Value", { exact: true }).fill("only ada");
    await dialog.getByRole("button", { name: "Override", exact: true }).click();
    await eventually(() => evaluated(world, "ada", "search_settings"), { enabled: true, value: "only ada" });
    await page.getByRole("button", { name: "Remove the override of search_settings" }).click();
    await eventually(
      async () => (await evaluated(world, "ada", "search_settings")).value !== "only ada",
      true,
    );
  });

  test("a trait is changed, and with it the segments", async () => {
    const { page } = world;
    await page.getByRole("button", { name: "Edit the trait plan" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Value").fill("free");
    await dialog.getByRole("button", { name: "Save the trait" }).click();
    await page.getByText("None.", { exact: true }).waitFor();
    await eventually(async () => (await evaluated(world, "ada", "new_checkout")).enabled, false);
  });

  test("an identity is made and deleted", async () => {
    const { page, at, call, key } = world;
    await page.goto(`${at}/identities`);
    await page.getByRole("button", { name: "New identity" }).click();
    await page.getByRole("dialog").getByLabel("Identifier").fill("a/b é");
    await page.getByRole("button", { name: "Create identity" }).click();
    await page.getByRole("heading", { name: "a/b é" }).waitFor();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("a/b é");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: "Identities" }).waitFor();
    await settled(page);
    assert.equal(
      (await call("GET", `/environments/${key}/identities/?q=${encodeURIComponent('"a/b é"')}`)).count,
      0,
    );
    noTrouble(page);
  });
});
