// Experiments: made, started, measured, ended.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble } from "./support/journey.js";

async function identify(world, identifier, traits = {}) {
  const answer = await fetch(`${world.server.url}/api/v1/identities/`, {
    method: "POST",
    headers: { "X-Environment-Key": world.key, "Content-Type": "application/json" },
    body: JSON.stringify({
      identifier,
      traits: Object.entries(traits).map(([trait_key, trait_value]) => ({ trait_key, trait_value })),
    }),
  });
  const { flags } = await answer.json();
  return flags.find((one) => one.feature.name === "colour").feature_state_value;
}

journey("experiments", (world) => {
  const one = async () => (await world.call("GET", `/environments/${world.key}/experiments/`)).results[0];

  test("a metric is made", async () => {
    const { page, at, call, key, project } = world;
    await call("POST", `/projects/${project}/features/`, {
      name: "colour",
      initial_value: "control",
      default_enabled: true,
      multivariate_options: [
        { type: "unicode", string_value: "green", default_percentage_allocation: 0 },
        { type: "unicode", string_value: "blue", default_percentage_allocation: 0 },
      ],
    });
    await page.goto(`${at}/features`);
    await page.getByRole("link", { name: "Experiments" }).click();
    await page.getByText("No experiments yet").waitFor();
    await settled(page);
    await look(page, "experiments-empty");
    await page.getByRole("button", { name: "New metric" }).click();
    const dialog = page.getByRole("dialog", { name: "New metric" });
    await dialog.getByLabel("Name").fill("Revenue");
    await dialog.getByLabel("Event", { exact: false }).first().fill("purchase");
    await dialog.getByRole("combobox", { name: "What counts" }).click();
    await page.getByRole("option", { name: "The sum of a property" }).click();
    await dialog.getByLabel("Property of the event").fill("amount");
    await dialog.getByRole("button", { name: "Create metric" }).click();
    await page.getByRole("button", { name: "Edit the metric Revenue" }).waitFor();
    const { results } = await call("GET", `/environments/${key}/experiment-metrics/`);
    assert.deepEqual(results[0].definition, { event: "purchase", property: "amount" });
  });

  test("an experiment is made with a feature that has variants", async () => {
    const { page } = world;
    await page.getByRole("button", { name: "New experiment" }).first().click();
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Colours");
    await page.getByLabel("Hypothesis").fill("Green sells");
    await page.getByRole("combobox", { name: "Feature" }).click();
    await page.getByRole("option", { name: "colour", exact: true }).click();
    await page.getByText("The control, what everybody gets: 34 %").waitFor();
    await page.getByRole("textbox", { name: "green" }).fill("90");
    await page.getByText("More than 100 % is given away.").waitFor();
    assert.equal(await page.getByRole("button", { name: "Create experiment" }).isDisabled(), true);
    await page.getByRole("textbox", { name: "green" }).fill("100");
    await page.getByRole("textbox", { name: "blue" }).fill("0");
    await settled(page);
    await look(page, "experiment-new");
    await page.getByRole("button", { name: "Create experiment" }).click();
    await page.getByRole("heading", { name: "Colours", level: 1 }).waitFor();
    await page.getByText("not begun").waitFor();
    assert.equal(await identify(world, "zoe"), "control");
  });

  test("it is measured by a metric, started, and its shares change while it runs", async () => {
    const { page } = world;
    await page.getByRole("combobox", { name: "Metric" }).click();
    await page.getByRole("option", { name: "Revenue" }).click();
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("button", { name: "Measure it no longer by Revenue" }).waitFor();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("running", { exact: true }).waitFor();
    await eventually(() => identify(world, "zoe"), "green");
    await page.getByRole("textbox", { name: "green" }).fill("0");
    await page.getByRole("textbox", { name: "blue" }).fill("100");
    await page.getByRole("button", { name: "Save the shares" }).click();
    await eventually(() => identify(world, "zoe"), "blue");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("paused", { exact: true }).waitFor();
    await eventually(() => identify(world, "zoe"), "control");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByText("running", { exact: true }).waitFor();
  });

  test("its results say which variant does better", async () => {
    const { page } = world;
    await page.getByText("Not counted yet.").waitFor();
    for (let number = 0; number < 40; number++) {
      const isGreen = number % 2 === 1;
      await identify(world, `u${number}`, {
        exp_colour_variant: isGreen ? "green" : "control",
        exp_colour_converted: isGreen ? number < 34 : number < 4,
      });
    }
    await page.getByRole("button", { name: "Count anew" }).click();
    await page.getByText("Roll out green: it does better than control.").waitFor();
    await page.getByText(/Fewer than \d+ identities/).waitFor();
    await page.getByRole("cell", { name: "green wins" }).waitFor();
    await settled(page);
    await look(page, "experiment");
  });

  test("it ends after its name was typed, and keeps its results", async () => {
    const { page, at } = world;
    await page.getByRole("button", { name: "End", exact: true }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("Colours");
    await page.getByRole("button", { name: "End it" }).click();
    await page.getByText("ended", { exact: true }).waitFor();
    await page.getByRole("cell", { name: "green wins" }).waitFor();
    assert.equal((await one()).status, "completed");
    await page.goto(`${at}/experiments?status=running`);
    await page.getByText("Nothing matches").waitFor();
    await page.goto(`${at}/experiments`);
    await page.getByRole("link", { name: "Colours" }).waitFor();
    await settled(page);
    await look(page, "experiments");
    noTrouble(page);
  });

  test("who does not administer the environment is told so", async () => {
    const { page } = await member(world, "watcher@example.com", {
      project: ["VIEW_PROJECT"],
      environment: ["VIEW_ENVIRONMENT"],
    });
    await page.goto(`${world.at}/experiments`);
    await page.getByText("You may not see this").waitFor();
    noTrouble(page);
  });
});
