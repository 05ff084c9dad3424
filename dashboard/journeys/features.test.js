// The list of features: finding, turning, many at once, comparing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { flip, look, settled } from "./support/browser.js";
import { eventually, journey, noTrouble, served } from "./support/journey.js";

journey("the list of features", (world) => {
  test("filters stand in the address, and narrow the list", async () => {
    const { page, at } = world;
    await page.goto(`${at}/features`);
    await page.getByRole("link", { name: "banner_text" }).waitFor();
    await look(page, "features");
    await page.getByLabel("Search features").fill("banner");
    await page.waitForURL(/search=banner/);
    await page.getByRole("link", { name: "new_checkout" }).waitFor({ state: "detached" });
    await page.reload();
    await page.getByRole("link", { name: "banner_text" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "new_checkout" }).count(), 0);
    await page.getByRole("button", { name: "Clear the search" }).click();
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("combobox", { name: "State" }).click();
    await look(page, "features-filter", { widths: [360, 1440] });
    await page.getByRole("option", { name: "Off" }).click();
    await page.waitForURL(/state=off/);
    await page.getByRole("link", { name: "banner_text" }).waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByLabel("Search features").fill("nothing is called so");
    await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
    await look(page, "features-none");
  });

  test("a switch goes live at once, and one click undoes it", async () => {
    const { page, at } = world;
    await page.goto(`${at}/features`);
    await flip(page.getByRole("switch", { name: "new_checkout is off" }));
    await eventually(() => served(world, "new_checkout"), { enabled: true, value: null });
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("switch", { name: "new_checkout is off" }).waitFor();
    await eventually(() => served(world, "new_checkout"), { enabled: false, value: null });
  });

  test("a feature is made with its variations", async () => {
    const { page, at, call, project } = world;
    await page.goto(`${at}/features`);
    await page.getByRole("button", { name: "New feature" }).waitFor();
    await page.keyboard.press("c");
    const dialog = page.getByRole("dialog", { name: "New feature" });
    await dialog.getByLabel("Name").fill("Price Label");
    await dialog.getByLabel("Description").fill("How prices are written");
    await dialog.getByLabel("Value", { exact: true }).fill("plain");
    await dialog.getByRole("button", { name: "Add a variation" }).click();
    await dialog.getByLabel("Variation 1", { exact: true }).fill("bold");
    await dialog.getByLabel("Share of variation 1").fill("25");
    await look(page, "feature-new", { widths: [360, 1440] });
    await dialog.getByRole("button", { name: "Create feature" }).click();
    await page.getByRole("heading", { name: "price_label" }).waitFor();
    const { results } = await call("GET", `/projects/${project}/features/?search=price_label`);
    assert.equal(results[0].type, "MULTIVARIATE");
    assert.equal(results[0].multivariate_options[0].default_percentage_allocation, 25);
  });

  test("several are turned, tagged and deleted together, after their project's name was typed", async () => {
    const { page, at, call, project } = world;
    await page.goto(`${at}/features`);
    await page.getByLabel("Select new_checkout").check();
    await page.getByLabel("Select price_label").check();
    await look(page, "features-selected");
    await page.getByRole("button", { name: "Turn on" }).click();
    await eventually(async () => (await served(world, "new_checkout")).enabled, true);
    const bar = page.getByRole("region", { name: "Selected features" });
    await bar.waitFor({ state: "detached" });
    await page.getByLabel("Select price_label").check();
    await bar.getByRole("button", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog");
    assert.equal(await dialog.getByRole("button", { name: "Delete" }).isDisabled(), true);
    await dialog.getByRole("textbox").fill("Web shop");
    await look(page, "confirm", { widths: [360, 1440] });
    await dialog.getByRole("button", { name: "Delete" }).click();
    await eventually(
      async () => (await call("GET", `/projects/${project}/features/?search=price_label`)).count,
      0,
    );
  });

  test("two environments are compared", async () => {
    const { page, at } = world;
    await page.goto(`${at}/compare`);
    await settled(page);
    await page.getByRole("link", { name: "new_checkout" }).waitFor();
    await look(page, "compare");
  });

  test("what somebody else changes is seen without loading the page again", async () => {
    const { page, at, call, key, project, features } = world;
    await call("PATCH", `/projects/${project}/`, { enable_realtime_updates: true });
    const listening = page.waitForRequest(/\/sse\/environments\//);
    await page.goto(`${at}/features`);
    await page.getByRole("switch", { name: "banner_text is on" }).waitFor();
    await (await listening).response();
    const states = `/environments/${key}/featurestates/`;
    const { results } = await call("GET", `${states}?feature=${features.banner_text}`);
    await call("PATCH", `${states}${results[0].id}/`, { enabled: false });
    await page.getByRole("switch", { name: "banner_text is off" }).waitFor();
    await call("PATCH", `${states}${results[0].id}/`, { enabled: true });
    await page.getByRole("switch", { name: "banner_text is on" }).waitFor();
    await call("PATCH", `/projects/${project}/`, { enable_realtime_updates: false });
  });

  test("the palette leads to pages and features by keyboard", async () => {
    const { page, at } = world;
    await page.goto(`${at}/features`);
    await settled(page);
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder("Go to a page").fill("banner");
    await page
      .getByRole("button", { name: /banner_text/ })
      .first()
      .waitFor();
    await look(page, "palette", { widths: [360, 1440] });
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "banner_text" }).waitFor();
    noTrouble(page);
  });
});
