// A feature: editing, reviewing, priorities, what waits, and what was.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, settled } from "./support/browser.js";
import { eventually, journey, noTrouble, served } from "./support/journey.js";

async function save(page, way) {
  await page.getByRole("button", { name: /^Review and/ }).click();
  const dialog = page.getByRole("dialog");
  if (way) await dialog.getByText(way, { exact: true }).click();
  return dialog;
}

journey("a feature", (world) => {
  test("a value is edited, reviewed and served", async () => {
    const { page, at, features } = world;
    await page.goto(`${at}/features/${features.banner_text}`);
    await page.getByLabel("Value", { exact: true }).fill('{"text": "Sale!"');
    await page.getByText("not valid JSON").waitFor();
    await look(page, "feature-value");
    await page.getByLabel("Value", { exact: true }).fill('{"text": "Sale!"}');
    await page.getByText("valid JSON", { exact: true }).waitFor();
    const dialog = await save(page);
    await look(page, "feature-review", { widths: [360, 1440] });
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await eventually(() => served(world, "banner_text"), { enabled: true, value: '{"text": "Sale!"}' });
    await page.getByText("unsaved change").waitFor({ state: "detached" });
  });

  test("numbers and truth values keep their kind", async () => {
    const { page, at, features } = world;
    await page.goto(`${at}/features/${features.max_basket_items}`);
    await page.getByLabel("Value", { exact: true }).fill("60");
    await (await save(page)).getByRole("button", { name: "Save", exact: true }).click();
    await eventually(() => served(world, "max_basket_items"), { enabled: true, value: 60 });
  });

  test("what somebody else saved meanwhile is shown and merged, not overwritten", async () => {
    const { page, at, features, key } = world;
    await page.goto(`${at}/features/${features.search_settings}`);
    await page.getByLabel("Value", { exact: true }).fill("mine");
    const flag = `${world.server.url}/api/__future__/environments/${key}/features/${features.search_settings}/`;
    const theirs = await fetch(flag, {
      method: "PATCH",
      headers: { "Content-Type": "application/json", Authorization: `Token ${world.token}` },
      body: JSON.stringify({ environment_default: { enabled: false } }),
    });
    assert.equal(theirs.status, 200, await theirs.text());
    const dialog = await save(page);
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await dialog.getByText("Somebody changed this in the meantime").waitFor();
    await look(page, "feature-conflict", { widths: [360, 1440] });
    await dialog.getByRole("button", { name: "Keep mine on top of theirs" }).click();
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await eventually(() => served(world, "search_settings"), { enabled: false, value: "mine" });
  });

  test("segment overrides are added, put in order by keyboard, and served in that order", async () => {
    const { page, at, features, call, project } = world;
    const { results: segments } = await call("GET", `/projects/${project}/segments/`);
    const idOf = (name) => segments.find((segment) => segment.name === name).id;
    await page.goto(`${at}/features/${features.new_checkout}?tab=segments`);
    await page.getByRole("combobox", { name: "Add an override for a segment" }).click();
    await page.getByRole("option", { name: "beta_testers" }).click();
    const handle = page.getByRole("button", { name: "Move beta_testers, place 2" });
    await handle.press("Space");
    // Said to those who can't see it: that it was picked up, and whose place it has. It hears of arrows a little later.
    const said = page.locator("[id^=DndLiveRegion]");
    await said.filter({ hasText: /Picked up|moved over/ }).waitFor({ state: "attached" });
    const [moved, over] = [idOf("beta_testers"), idOf("paying_customers")];
    await eventually(async () => {
      await page.keyboard.press("ArrowUp");
      return said.innerText();
    }, `Draggable item ${moved} was moved over droppable area ${over}.`);
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Move beta_testers, place 1" }).waitFor();
    await look(page, "feature-segments");
    await (await save(page)).getByRole("button", { name: "Save", exact: true }).click();
    const order = async () => {
      const { results } = await call(
        "GET",
        `/features/feature-segments/?environment=${world.environments[0].id}&feature=${features.new_checkout}`,
      );
      return results.sort((a, b) => a.priority - b.priority).map((link) => link.segment_name);
    };
    await eventually(order, ["beta_testers", "paying_customers"]);
  });

  test("leaving with a draft is asked about", async () => {
    const { page, at, features } = world;
    await page.goto(`${at}/features/${features.banner_text}`);
    await page.getByLabel("Value", { exact: true }).fill("lost?");
    await page.getByRole("link", { name: "Segments" }).click();
    await page.getByRole("dialog").getByText("Leave without saving?").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.equal(await page.getByLabel("Value", { exact: true }).inputValue(), "lost?");
    await page.getByRole("button", { name: "Discard" }).click();
  });

  test("a change waits for its time, and is cancelled", async () => {
    const { page, at, features, call, key } = world;
    await page.goto(`${at}/features/${features.button_colour}`);
    await page.getByLabel("Share of green").fill("50");
    const dialog = await save(page, "At a time");
    await dialog.getByRole("button", { name: "Schedule" }).click();
    await page.getByRole("button", { name: "Cancel it" }).waitFor();
    await look(page, "feature-planned");
    assert.equal((await call("GET", `/environments/${key}/scheduled-changes/`)).count, 1);
    await page.getByRole("button", { name: "Cancel it" }).click();
    await eventually(async () => (await call("GET", `/environments/${key}/scheduled-changes/`)).count, 0);
  });

  test("one identity is treated apart", async () => {
    const { page, at, features } = world;
    await page.goto(`${at}/features/${features.new_checkout}?tab=identities`);
    await page.getByRole("button", { name: "Override for an identity" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Identifier").fill("grace");
    await dialog.getByRole("button", { name: "Save the override" }).click();
    await page.getByRole("link", { name: "grace" }).waitFor();
    await look(page, "feature-identities");
  });

  test("versions are compared and restored", async () => {
    const { page, at, features, call, key } = world;
    await page.goto(`${at}/settings`);
    await page.getByRole("button", { name: "Keep versions" }).click();
    await page.getByRole("button", { name: "Keep them" }).click();
    await page.getByText("They are kept.").waitFor();
    await page.goto(`${at}/features/${features.max_basket_items}`);
    await page.getByLabel("Value", { exact: true }).fill("70");
    await (await save(page)).getByRole("button", { name: "Save", exact: true }).click();
    await eventually(() => served(world, "max_basket_items"), { enabled: true, value: 70 });
    await page.getByRole("tab", { name: "History" }).click();
    await page.getByRole("button", { name: "What changed" }).first().click();
    await page.getByText("70", { exact: true }).waitFor();
    await look(page, "feature-history");
    await page.getByRole("button", { name: "Restore" }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
    await eventually(() => served(world, "max_basket_items"), { enabled: true, value: 60 });
    assert.ok(call && key);
  });

  test("its other pages can be looked at by everybody", async () => {
    const { page, at, features } = world;
    for (const tab of ["usage", "code", "settings"]) {
      await page.goto(`${at}/features/${features.banner_text}?tab=${tab}`);
      await settled(page);
      await look(page, `feature-${tab}`);
    }
    noTrouble(page);
  });
});
