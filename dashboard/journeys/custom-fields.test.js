// Custom fields: made for an organisation, asked for where they are required, and said of features and the rest.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, settled } from "./support/browser.js";
import { eventually, journey, noTrouble } from "./support/journey.js";

journey("custom fields", (world) => {
  const fields = async () =>
    (await world.call("GET", `/metadata/fields/?organisation=${world.organisation}`)).results;

  test("a field is made and given to kinds of objects", async () => {
    const { page, organisation } = world;
    await page.goto(`/organisation/${organisation}`);
    await page.getByRole("link", { name: "Custom fields" }).click();
    await page.getByText("No custom fields yet").waitFor();
    await page.getByRole("button", { name: "New field" }).click();
    const dialog = page.getByRole("dialog", { name: "New custom field" });
    await dialog.getByLabel("Name").fill("Team");
    await dialog.getByLabel("Description").fill("Who is asked");
    await dialog.getByRole("checkbox", { name: "Features" }).check();
    await dialog.getByRole("combobox", { name: "Where features must say something in it" }).click();
    await page.getByRole("option", { name: "required everywhere" }).click();
    await page.keyboard.press("Escape");
    await dialog.getByRole("checkbox", { name: "Segments" }).check();
    await dialog.getByRole("checkbox", { name: "Environments" }).check();
    await settled(page);
    await look(page, "custom-field-new", { widths: [360, 1440] });
    await dialog.getByRole("button", { name: "Create field" }).click();
    await page.getByText("Features, required").waitFor();
    await settled(page);
    await look(page, "custom-fields");
    assert.deepEqual(
      (await fields()).map((one) => [one.name, one.model_fields.length]),
      [["Team", 3]],
    );
  });

  test("a new feature is asked for it, and shows what was said", async () => {
    const { page, at, call, project } = world;
    await page.goto(`${at}/features`);
    await page.getByRole("button", { name: "New feature" }).click();
    const dialog = page.getByRole("dialog", { name: "New feature" });
    await dialog.getByLabel("Name", { exact: false }).first().fill("gift_cards");
    await dialog.getByRole("button", { name: "Create feature" }).click();
    // The browser asks for what is required before anything is sent.
    assert.equal(await dialog.getByLabel("Team").evaluate((input) => input.validity.valueMissing), true);
    await dialog.getByLabel("Team").fill("payments");
    await dialog.getByRole("button", { name: "Create feature" }).click();
    await page.getByRole("heading", { name: "gift_cards" }).waitFor();
    await page.getByRole("tab", { name: "Settings" }).click();
    await eventually(() => page.getByLabel("Team").inputValue(), "payments");
    await page.getByLabel("Team").fill("checkout");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await eventually(async () => {
      const { results } = await call("GET", `/projects/${project}/features/?search=gift_cards`);
      return results[0].metadata.map((one) => one.field_value);
    }, ["checkout"]);
    await settled(page);
    await look(page, "feature-settings-custom-field");
  });

  test("segments and environments carry it as well", async () => {
    const { page, at, call, project, key } = world;
    await page.goto(`${at}/segments`);
    await page.getByRole("link", { name: "beta_testers" }).click();
    await page.getByLabel("Team").fill("growth");
    await page.getByRole("button", { name: "Save the segment" }).click();
    await eventually(async () => {
      const { results } = await call("GET", `/projects/${project}/segments/?q=beta_testers`);
      return results[0].metadata.map((one) => one.field_value);
    }, ["growth"]);
    await page.goto(`${at}/settings`);
    await page.getByLabel("Team").fill("platform");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await eventually(
      async () => (await call("GET", `/environments/${key}/`)).metadata.map((one) => one.field_value),
      ["platform"],
    );
  });

  test("a project has fields of its own beside the organisation's", async () => {
    const { page, at } = world;
    await page.goto(`${at}/project-settings`);
    await page.getByText("of the organisation").waitFor();
    await page.getByRole("button", { name: "New field" }).click();
    const dialog = page.getByRole("dialog", { name: "New custom field" });
    await dialog.getByLabel("Name").fill("Ticket");
    await dialog.getByRole("combobox", { name: "Kind" }).click();
    await page.getByRole("option", { name: "Address on the web" }).click();
    await dialog.getByRole("checkbox", { name: "Features" }).check();
    await dialog.getByRole("button", { name: "Create field" }).click();
    await page.getByRole("button", { name: "Edit the field Ticket" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Edit the field Team" }).count(), 0);
    await page.goto(`${at}/features/${world.features.new_checkout}?tab=settings`);
    await page.getByLabel("Ticket").fill("nowhere");
    await page.getByText("An address, such as").waitFor();
  });

  test("what is taken away or deleted is asked about by name", async () => {
    const { page, organisation } = world;
    await page.goto(`/organisation/${organisation}/custom-fields`);
    await page.getByRole("button", { name: "Edit the field Team" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit the field" });
    await dialog.getByRole("checkbox", { name: "Environments" }).uncheck();
    await dialog.getByText("What is said in it is lost: environments.").waitFor();
    assert.equal(await dialog.getByRole("button", { name: "Save the field" }).isDisabled(), true);
    await dialog.getByLabel("to confirm").fill("Team");
    await dialog.getByRole("button", { name: "Save the field" }).click();
    await eventually(async () => (await fields()).find((one) => one.name === "Team").model_fields.length, 2);
    await page.getByRole("button", { name: "Delete the field Team" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("Team");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await eventually(async () => (await fields()).map((one) => one.name), ["Ticket"]);
    noTrouble(page);
  });
});
