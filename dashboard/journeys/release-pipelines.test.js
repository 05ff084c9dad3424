// Release pipelines: drawn up, published, and gone through.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble, served } from "./support/journey.js";

journey("release pipelines", (world) => {
  const one = async () => {
    const { results } = await world.call("GET", `/projects/${world.project}/release-pipelines/`);
    return results[0] && world.call("GET", `/projects/${world.project}/release-pipelines/${results[0].id}/`);
  };

  test("a pipeline is drawn up of stages and actions", async () => {
    const { page, at } = world;
    await page.goto(`${at}/features`);
    await page.getByRole("link", { name: "Release pipelines" }).click();
    await page.getByText("No release pipelines yet").waitFor();
    await look(page, "pipelines-empty", { widths: [360, 1440] });
    await page.getByRole("button", { name: "New pipeline" }).first().click();
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Careful");
    await page.getByRole("button", { name: "Add an action" }).click();
    const first = page.locator("section").filter({ has: page.getByRole("heading", { name: "Stage 1" }) });
    const second = first.getByTestId("action").nth(1);
    await second.getByRole("combobox", { name: "What it does" }).click();
    await page.getByRole("option", { name: "Set its value for a segment" }).click();
    await page.getByRole("button", { name: "Create draft" }).click();
    await page.getByText("For which segment?").waitFor();
    await second.getByRole("combobox", { name: "Segment" }).click();
    await page.getByRole("option", { name: "beta_testers" }).click();
    await second.getByRole("textbox", { name: "Value" }).fill("for testers");
    await page.getByRole("button", { name: "Add a stage" }).click();
    const later = page.locator("section").filter({ has: page.getByRole("heading", { name: "Stage 2" }) });
    await later.getByRole("combobox", { name: "Environment" }).click();
    await page.getByRole("option", { name: "Production" }).click();
    await later.getByText("After a while").click();
    await later.getByRole("textbox", { name: "How long it waits" }).fill("2");
    await later.getByRole("combobox", { name: "What it does" }).click();
    await page.getByRole("option", { name: "Turn it on bit by bit" }).click();
    await later.getByRole("textbox", { name: "Share at first" }).fill("5");
    await settled(page);
    await look(page, "pipeline-new");
    await page.getByRole("button", { name: "Create draft" }).click();
    await page.getByRole("heading", { name: "Careful", level: 1 }).waitFor();
    const { stages } = await one();
    assert.deepEqual(
      stages.map((stage) => [stage.trigger.trigger_type, stage.actions.map((act) => act.action_body)]),
      [
        [
          "ON_ENTER",
          [
            { enabled: true },
            {
              feature_state_value: "for testers",
              segment_id: stages[0].actions[1].action_body.segment_id,
            },
          ],
        ],
        ["WAIT_FOR", [{ initial_split: 5, increase_by: 10, increase_every: "1 00:00:00" }]],
      ],
    );
    assert.deepEqual(stages[1].trigger.trigger_body, { wait_for: "2 00:00:00" });
  });

  test("a draft is changed: stages change places", async () => {
    const { page } = world;
    await page.getByRole("button", { name: "Move stage 2 up" }).click();
    await page.getByRole("button", { name: "Move stage 1 down" }).click();
    await page.getByLabel("Description").fill("First here, then there");
    await page.getByRole("button", { name: "Save the draft" }).click();
    await eventually(async () => (await one()).description, "First here, then there");
    assert.deepEqual(
      (await one()).stages.map((stage) => stage.name),
      ["Stage 1", "Stage 2"],
    );
  });

  test("it is published, and a feature goes on its way", async () => {
    const { page, call, project } = world;
    const feature = await call("POST", `/projects/${project}/features/`, { name: "gift_cards" });
    await page.reload();
    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByRole("button", { name: "Publish it" }).click();
    await page.getByText("published").waitFor();
    await page.getByRole("combobox", { name: "Feature" }).click();
    await page.getByRole("option", { name: "gift_cards" }).click();
    const before = await served(world, "gift_cards");
    await page.getByRole("button", { name: "Add the feature" }).click();
    await page.getByRole("button", { name: "Take gift_cards out" }).waitFor();
    await eventually(async () => (await served(world, "gift_cards")).enabled, true);
    assert.equal(before.enabled, false);
    await eventually(async () => Object.keys((await one()).stages[1].features), [String(feature.id)]);
    await page.reload();
    await page.getByText("Turns it on for 5 %, then for 10 % more every day").waitFor();
    await page.getByText("Sets its value to “for testers” for beta_testers").waitFor();
    await page.getByText("2 days after a feature enters").waitFor();
    assert.equal(await page.getByRole("button", { name: "Make it a draft again" }).isDisabled(), true);
    await settled(page);
    await look(page, "pipeline-running");
  });

  test("a feature is taken out, and the pipeline is copied, withdrawn and deleted", async () => {
    const { page, at, call, project } = world;
    await page.getByRole("button", { name: "Take gift_cards out" }).click();
    await page.getByRole("button", { name: "Take it out" }).click();
    await eventually(async () => (await one()).features, []);
    await page.getByRole("button", { name: "Make it a draft again" }).click();
    await page.getByRole("button", { name: "Save the draft" }).waitFor();
    await page.getByRole("button", { name: "Copy", exact: true }).click();
    await page.getByRole("heading", { name: "Careful copy" }).waitFor();
    await page.goto(`${at}/release-pipelines`);
    await page.getByRole("link", { name: "Careful copy" }).waitFor();
    await look(page, "pipelines");
    await page.getByRole("link", { name: "Careful copy" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("Careful copy");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await eventually(async () => (await call("GET", `/projects/${project}/release-pipelines/`)).count, 1);
    noTrouble(page);
  });

  test("who may only look sees the stages", async () => {
    const { page } = await member(world, "looker@example.com", {
      project: ["VIEW_PROJECT"],
      environment: ["VIEW_ENVIRONMENT"],
    });
    await page.goto(`${world.at}/release-pipelines`);
    await page.getByRole("link", { name: "Careful" }).click();
    await page.getByRole("heading", { name: "2. Stage 2" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Publish" }).count(), 0);
    noTrouble(page);
  });
});
