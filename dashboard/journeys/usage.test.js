// Usage of the SDK API: of an organisation by day, place and client, and of a feature in the list.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble } from "./support/journey.js";

const ASKED = 7;

journey("usage", (world) => {
  test("a time without requests is told as one", async () => {
    const { page, organisation } = world;
    await page.goto(`/organisation/${organisation}/usage?period=previous_billing_period`);
    await page.getByRole("heading", { name: "No requests in this time" }).waitFor();
    await look(page, "usage-empty", { widths: [360, 1440] });
  });

  test("requests are there by kind, project and environment", async () => {
    const { page, server, call, key, organisation, project, environments } = world;
    const headers = { "X-Environment-Key": key };
    for (let asked = 0; asked < ASKED; asked += 1) await fetch(`${server.url}/api/v1/flags/`, { headers });
    await fetch(`${server.url}/api/v1/identities/?identifier=ada`, { headers });
    // The demo asks a little by itself.
    const usage = `/organisations/${organisation}/usage-data/`;
    await eventually(async () => {
      const [today] = await call("GET", usage);
      return today !== undefined && today.flags >= ASKED && today.identities >= 1;
    }, true);
    await page.goto(`/organisation/${organisation}/usage`);
    await page.getByText("Requests by day").waitFor();
    await page.locator(".recharts-bar").first().waitFor();
    await settled(page);
    await look(page, "usage");
    const { name } = await call("GET", `/projects/${project}/`);
    await page.getByRole("button", { name, exact: true }).click();
    await page.waitForURL(/project=/);
    await page.getByRole("heading", { name: "By environment" }).waitFor();
    const production = environments.find((one) => one.name === "Production");
    await page.getByRole("button", { name: production.name, exact: true }).click();
    await page.getByRole("heading", { name: "No requests in this time" }).waitFor();
    await page.getByRole("combobox", { name: "Period" }).click();
    await page.getByRole("option", { name: "Last 90 days" }).click();
    await page.waitForURL(/90_day_period/);
  });

  test("the list of features shows how often each is asked for", async () => {
    const { page, server, at, key } = world;
    await fetch(`${server.url}/api/v1/analytics/flags/`, {
      method: "POST",
      headers: { "X-Environment-Key": key, "Content-Type": "application/json" },
      body: JSON.stringify({ banner_text: 12 }),
    });
    await eventually(async () => {
      await page.goto(`${at}/features`);
      await settled(page);
      return page.getByRole("img", { name: "Asked for 12 times in 30 days" }).count();
    }, 1);
    await look(page, "features-evaluations");
  });

  test("who is no administrator is told why there is nothing", async () => {
    const { organisation } = world;
    const { page } = await member(world, "una@example.com");
    await page.goto(`/organisation/${organisation}/usage`);
    await page.getByRole("heading", { name: "You may not see this" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "Usage" }).count(), 0);
    noTrouble(page);
    await page.context().close();
    noTrouble(world.page);
  });
});
