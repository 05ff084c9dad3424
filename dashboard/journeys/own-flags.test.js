// Burgee on Burgee: the dashboard is what its own flags say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { flip, look, openPage, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble } from "./support/journey.js";

const own = {};

async function inOwn(world, name) {
  const states = `/environments/${own.key}/featurestates/`;
  const { results } = await world.call("GET", `${states}?feature_name=${name}`);
  return { states, state: results[0] };
}

/** Sets one of the dashboard's own flags. */
async function turn(world, name, enabled, value = null) {
  const { states, state } = await inOwn(world, name);
  const text = value !== null && typeof value !== "string" ? JSON.stringify(value) : value;
  await world.call("PUT", `${states}${state.id}/`, { enabled, feature_state_value: text });
}

async function open(page, path) {
  await page.goto(path);
  await settled(page);
}

/** A browser in which nobody is signed in. */
const stranger = (world) => openPage(world.browser, world.server, { database: world.database });

journey("own flags", (world) => {
  test("are seeded beside a running server, and nothing looks different", async () => {
    const { page, at } = world;
    const printed = await world.server.command("flags", "seed");
    own.key = /client-side key (\S+)/.exec(printed)[1];
    assert.match(printed, /new project "Burgee on Burgee"/);
    assert.match(await world.server.command("flags", "seed"), /nothing was missing/);
    await open(page, `${at}/features`);
    await eventually(() => page.getByRole("link", { name: "Compare" }).count(), 1);
    const told = await page.request.get("/config/project-overrides", {
      headers: { Accept: "application/json" },
    });
    assert.equal((await told.json()).flagsmith, own.key);
  });

  test("decide who can be signed in with", async () => {
    const outside = await stranger(world);
    await turn(world, "oauth_google", true, { clientId: "some-client" });
    await open(outside, "/login");
    await outside.getByRole("button", { name: "Sign in with Google" }).waitFor();
    await turn(world, "oauth_google", false, { clientId: "some-client" });
    await turn(world, "saml", false);
    await open(outside, "/login");
    await eventually(() => outside.getByRole("button", { name: /Sign in with/ }).count(), 0);
    noTrouble(outside);
    await outside.context().close();
  });

  test("take a page away, from the navigation and from its address", async () => {
    const { page, at } = world;
    await turn(world, "compare_environments", false);
    await open(page, `${at}/features`);
    await eventually(() => page.getByRole("link", { name: "Compare" }).count(), 0);
    await open(page, `${at}/compare`);
    await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
  });

  test("take custom fields away, from settings and from forms", async () => {
    const { page, at, call, organisation } = world;
    const links = `/organisations/${organisation}/metadata-model-fields/`;
    const types = await call("GET", `${links}supported-content-types/`);
    const field = await call("POST", "/metadata/fields/", { organisation, name: "Ticket", type: "str" });
    const content_type = types.find(({ model }) => model === "environment").id;
    await call("POST", links, { field: field.id, content_type, is_required_for: [] });
    await open(page, `${at}/settings`);
    await page.getByLabel("Ticket").waitFor();
    await turn(world, "enable_metadata", false);
    await open(page, `${at}/settings`);
    await eventually(() => page.getByLabel("Ticket").count(), 0);
    await page.getByLabel("Banner").waitFor();
    await open(page, `${at}/project-settings`);
    await page.getByRole("heading", { name: "Tags" }).waitFor();
    assert.equal(await page.getByRole("heading", { name: "Custom fields" }).count(), 0);
    await turn(world, "enable_metadata", true);
  });

  test("announce something until it is closed", async () => {
    const { page, at } = world;
    const announcement = {
      id: "1",
      title: "Version 2 is here",
      description: "With everything you asked for.",
      isClosable: true,
      buttonText: "What is new",
      url: "https://example.com/new",
    };
    await turn(world, "announcement", true, announcement);
    await open(page, `${at}/features`);
    await page.getByText("Version 2 is here").waitFor();
    assert.equal(
      await page.getByRole("link", { name: "What is new" }).getAttribute("href"),
      "https://example.com/new",
    );
    await page.getByRole("button", { name: "Close the announcement" }).click();
    await page.getByText("Version 2 is here").waitFor({ state: "detached" });
    const stored = async () => {
      const { results } = await world.call("GET", `/environments/${own.key}/identities/?q=`);
      const traits = await world.call("GET", `/environments/${own.key}/identities/${results[0].id}/traits/`);
      return traits.results.find((one) => one.trait_key === "dismissed_announcement")?.string_value;
    };
    await eventually(stored, "1");
    await open(page, `${at}/segments`);
    await eventually(() => page.getByText("Version 2 is here").count(), 0);
    await turn(world, "announcement", true, { ...announcement, id: "2" });
    await open(page, `${at}/segments`);
    await page.getByText("Version 2 is here").waitFor();
  });

  test("say something above every page, without running it", async () => {
    const { page, at } = world;
    const evil =
      '<script>window.bad = 1</script><img src=x onerror="window.bad = 1"><a href="javascript:window.bad=1">no</a>';
    await turn(
      world,
      "butter_bar",
      true,
      `**Maintenance tonight**, see [the plan](https://example.com/plan). <u>No flag changes.</u>${evil}`,
    );
    await open(page, `${at}/features`);
    const bar = page.locator("[data-test=butter-bar]");
    await bar.locator("strong", { hasText: "Maintenance tonight" }).waitFor();
    assert.equal(await bar.locator("u").innerText(), "No flag changes.");
    const link = bar.getByRole("link", { name: "the plan" });
    assert.deepEqual(
      [await link.getAttribute("href"), await link.getAttribute("rel")],
      ["https://example.com/plan", "noopener noreferrer"],
    );
    assert.equal(await bar.locator("script, img, a[href^=javascript]").count(), 0);
    assert.equal(await page.evaluate(() => window.bad), undefined);
    await look(page, "own-flags-bars");
  });

  test("choose the operators of segments", async () => {
    const { page, at } = world;
    await turn(world, "segment_operators", true, [
      { value: "EQUAL", label: "Exactly Matches (=)" },
      { value: "GREATER_THAN:semver", label: "SemVer >", append: ":semver" },
    ]);
    await open(page, `${at}/segments/new`);
    await page.getByRole("combobox", { name: "Operator" }).click();
    await eventually(() => page.getByRole("option").allInnerTexts(), ["Exactly Matches (=)", "SemVer >"]);
    await page.getByRole("option", { name: "SemVer >" }).click();
    assert.equal(await page.getByRole("combobox", { name: "Operator" }).inputValue(), "SemVer >");
  });

  test("carry the dark theme to another browser", async () => {
    const { page, at } = world;
    await open(page, `${at}/features`);
    await page.evaluate(() => localStorage.removeItem("burgee-theme"));
    await open(page, `${at}/features`);
    const isDark = (page) => page.locator("html").getAttribute("data-mantine-color-scheme");
    assert.equal(await isDark(page), "light");
    await page.getByRole("button", { name: "Dark theme" }).click();
    await eventually(() => isDark(page), "dark");
    await settled(page);
    const elsewhere = await openPage(world.browser, world.server, world);
    await open(elsewhere, `${at}/features`);
    await eventually(() => isDark(elsewhere), "dark");
    noTrouble(elsewhere);
    await elsewhere.context().close();
  });

  test("have the dashboard read only", async () => {
    const { page, at } = world;
    await turn(world, "read_only_mode", true);
    await open(page, `${at}/features`);
    await page.locator("[data-test=read-only]").waitFor();
    await flip(page.getByRole("switch", { name: /new_checkout is/ }).first());
    await page.getByText("nothing was changed").waitFor();
    await turn(world, "read_only_mode", false);
  });

  test("keep everybody out but superusers while it is worked on", async () => {
    const { page, at } = world;
    const grace = await member(world, "grace@example.com");
    await turn(world, "maintenance_mode", true);
    await open(grace.page, "/");
    await grace.page.getByRole("heading", { name: "This is being worked on" }).waitFor();
    await look(grace.page, "own-flags-maintenance", { widths: [360, 1440] });
    await open(page, `${at}/features`);
    await page.getByRole("link", { name: "new_checkout" }).waitFor();
    noTrouble(page);
  });
});
