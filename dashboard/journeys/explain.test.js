// Why somebody gets an answer, and what a change would do before it is made.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look } from "./support/browser.js";
import { eventually, journey, member, noTrouble, served } from "./support/journey.js";

/** Stores 40 identities beside the demo's two: every fourth of them on a paid plan. */
async function populate(world) {
  const data = Array.from({ length: 40 }, (_, n) => ({
    identifier: `visitor-${String(n).padStart(2, "0")}`,
    traits: [
      { trait_key: "plan", trait_value: n % 4 === 0 ? "pro" : "free" },
      { trait_key: "age", trait_value: 20 + n },
    ],
  }));
  const { key } = await world.call("POST", `/environments/${world.key}/api-keys/`, { name: "journey" });
  const answer = await fetch(`${world.server.url}/api/v1/bulk-identities/`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Environment-Key": key },
    body: JSON.stringify({ data }),
  });
  assert.equal(answer.status, 202);
  // They are accepted, and stored a moment later.
  await eventually(async () => (await world.call("GET", `/environments/${world.key}/identities/`)).count, 42);
}

function flag(page, name) {
  return page.getByTestId("flag").filter({ hasText: name });
}

journey("explain and preview", (world) => {
  test("every flag of somebody is explained, step by step", async () => {
    const { page, at } = world;
    await page.goto(`${at}/features`);
    await page.getByRole("link", { name: "Explain" }).click();
    await page.getByText("Whose flags?").waitFor();
    await look(page, "explain-empty");
    await page.getByLabel("Identifier").fill("ada");
    await page.getByRole("button", { name: "Explain", exact: true }).click();
    await page.getByText("plan: pro").waitFor();
    await flag(page, "new_checkout").getByRole("button").click();
    const steps = page.getByTestId("step");
    await steps.filter({ hasText: "Override for paying_customers" }).getByText("decides").waitFor();
    await steps.filter({ hasText: "plan is one of pro, enterprise" }).getByText("decided").waitFor();
    await look(page, "explain");
    await flag(page, "button_colour").getByRole("button").click();
    await page.getByText("Its share of the variations").waitFor();
    await page.getByTestId("bucket").first().waitFor();
    await look(page, "explain-split");
    await flag(page, "banner_text").getByRole("button").click();
    await steps.filter({ hasText: "Its own override" }).getByText("decides").waitFor();
    await steps.filter({ hasText: "Override for beta_testers" }).getByTestId("bucket").waitFor();
    await look(page, "explain-override");
  });

  test("given traits stand in place of the stored ones, and the address holds the question", async () => {
    const { page, at, call, key } = world;
    await page.goto(`${at}/explain`);
    await page.getByLabel("Identifier").fill("ada");
    await page.getByRole("button", { name: "Add a trait" }).click();
    await page.getByRole("combobox", { name: "Trait" }).fill("plan");
    await page.keyboard.press("Escape");
    await page.getByRole("textbox", { name: "Value" }).fill("free");
    await page.getByRole("button", { name: "Explain", exact: true }).click();
    await page.getByText("plan: free (given)").waitFor();
    await flag(page, "new_checkout").getByText("as everybody").waitFor();
    const address = page.url();
    assert.match(address, /identifier=ada/);
    const other = await page.context().newPage();
    await other.goto(address);
    await other.getByText("plan: free (given)").waitFor();
    await other.close();
    const { results } = await call("GET", `/environments/${key}/identities/?q=ada`);
    const traits = await call("GET", `/environments/${key}/identities/${results[0].id}/traits/`);
    assert.equal(traits.results.find((one) => one.trait_key === "plan").string_value, "pro");
  });

  test("what is shown is narrowed, and an identity's page leads here", async () => {
    const { page, at } = world;
    await page.goto(`${at}/identities`);
    await page.getByRole("link", { name: "grace" }).click();
    await page.getByRole("link", { name: "Explain its flags" }).click();
    await page.getByText("app_version: 3.9.1").waitFor();
    await page.getByLabel("Only what is not as for everybody").check();
    await eventually(() => page.getByTestId("flag").count(), 1);
    await page.getByLabel("Search features").fill("nothing like it");
    await page.getByText("Nothing matches").waitFor();
  });

  test("a change of a feature is previewed in its last step, and nothing happens", async () => {
    const { page, at, features } = world;
    await populate(world);
    await page.goto(`${at}/features/${features.max_basket_items}`);
    await page.getByLabel("Value", { exact: true }).fill("60");
    await page.getByRole("button", { name: /^Review and/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Preview impact" }).click();
    // Of 42, eleven pay and have an override.
    await dialog.getByText("31 of 42 identities would get another answer.").waitFor();
    await dialog.getByText("All stored identities were evaluated.").waitFor();
    await look(page, "impact-feature", { widths: [360, 1440] });
    assert.deepEqual(await served(world, "max_basket_items"), { enabled: true, value: 50 });
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await eventually(() => served(world, "max_basket_items"), { enabled: true, value: 60 });
  });

  test("rules of a segment are previewed with who joins and leaves", async () => {
    const { page, at } = world;
    await page.goto(`${at}/segments`);
    await page.getByRole("link", { name: "paying_customers" }).click();
    await page.getByRole("combobox", { name: "Values" }).fill("free");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Preview impact" }).click();
    const impact = page.getByRole("region", { name: "Impact" });
    await impact.getByText("31 of 42 identities would get another answer.").waitFor();
    await impact.getByText("31 join", { exact: true }).waitFor();
    await impact.getByText("0 leave", { exact: true }).waitFor();
    await look(page, "impact-segment");
  });

  test("a segment shows which of the stored identities are in it", async () => {
    const { page, at } = world;
    await page.goto(`${at}/segments`);
    await page.getByRole("link", { name: "paying_customers" }).click();
    await page.getByRole("button", { name: "Show its members" }).click();
    const members = page.getByRole("region", { name: "Members", exact: true });
    await members.getByText("11 of 42 identities are in it.").waitFor();
    const names = await members.getByRole("link").allInnerTexts();
    const paying = Array.from({ length: 10 }, (_, n) => `visitor-${String(4 * n).padStart(2, "0")}`);
    assert.deepEqual(names.sort(), ["ada", ...paying]);
    await look(page, "segment-members");
    await members.getByRole("link", { name: "ada" }).click();
    await page.getByRole("heading", { name: "ada", level: 1 }).waitFor();
  });

  test("who may not see identities is told so, and offered no preview", async () => {
    const { at, features } = world;
    const { page } = await member(world, "nosy@example.com", {
      project: ["VIEW_PROJECT"],
      environment: ["VIEW_ENVIRONMENT", "UPDATE_FEATURE_STATE"],
    });
    await page.goto(`${at}/explain?identifier=ada`);
    await page.getByText("You may not see this").waitFor();
    await look(page, "explain-refused", { widths: [360, 1440] });
    await page.goto(`${at}/features/${features.banner_text}`);
    await page.getByLabel("Value", { exact: true }).fill("other");
    await page.getByRole("button", { name: /^Review and/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Preview impact" }).count(), 0);
    noTrouble(world.page);
  });
});
