// Everything about an organisation, its projects and their settings.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, settled } from "./support/browser.js";
import { eventually, journey, noTrouble } from "./support/journey.js";

journey("an organisation", (world) => {
  test("a project is made with its environments", async () => {
    const { page, call, organisation } = world;
    await page.goto(`/organisation/${organisation}`);
    await look(page, "projects");
    await page.getByRole("button", { name: "New project" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Mobile app");
    await page.getByRole("button", { name: "Create project" }).click();
    await page.getByRole("heading", { name: "No features yet" }).waitFor();
    await look(page, "features-empty");
    const projects = await call("GET", `/projects/?organisation=${organisation}`);
    const made = projects.find((one) => one.name === "Mobile app");
    const { results } = await call("GET", `/environments/?project=${made.id}`);
    assert.deepEqual(results.map((one) => one.name).sort(), ["Development", "Production"]);
  });

  test("somebody is invited", async () => {
    const { page, call, organisation } = world;
    await page.goto(`/organisation/${organisation}/members`);
    await settled(page);
    await look(page, "members");
    await page.getByRole("button", { name: "Invite", exact: true }).click();
    await page
      .getByRole("dialog")
      .getByRole("combobox", { name: "E-mail addresses" })
      .fill("new@example.com");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByRole("button", { name: "Invite" }).click();
    // The address stands in the dialog as well; only the list can take it back.
    const takeBack = page.getByRole("button", { name: "Take back the invitation of new@example.com" });
    await takeBack.waitFor();
    assert.equal((await call("GET", `/organisations/${organisation}/invites/`)).count, 1);
    await takeBack.click();
    await eventually(async () => (await call("GET", `/organisations/${organisation}/invites/`)).count, 0);
  });

  test("a group and a role are made, and permissions given", async () => {
    const { page, call, organisation, project } = world;
    await page.goto(`/organisation/${organisation}/groups`);
    await page.getByRole("button", { name: "New group" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Product");
    await page.getByRole("button", { name: "Create group" }).click();
    await page.getByRole("heading", { name: "Product" }).waitFor();
    await look(page, "groups");
    await page.goto(`/organisation/${organisation}/roles`);
    await page.getByRole("button", { name: "New role" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Publisher");
    await page.getByRole("button", { name: "Create role" }).click();
    await page.getByRole("button", { name: "Publisher" }).click();
    await page.getByRole("combobox", { name: "In the project" }).click();
    await page.getByRole("option", { name: "Web shop" }).click();
    await page.getByLabel("View permission", { exact: true }).click();
    await look(page, "roles");
    const { results } = await call("GET", `/organisations/${organisation}/roles/`);
    const granted = async () => {
      const path = `/organisations/${organisation}/roles/${results[0].id}/projects-permissions/?project=${project}`;
      return (await call("GET", path)).results[0]?.permissions.map((one) => one.permission_key);
    };
    await eventually(granted, ["VIEW_PROJECT"]);
  });

  test("the secret of a key is shown once", async () => {
    const { page, organisation } = world;
    await page.goto(`/organisation/${organisation}/api-keys`);
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("terraform");
    await page.getByRole("button", { name: "Create the key" }).click();
    const dialog = page.getByRole("dialog", { name: "Your new API key" });
    const secret = await dialog.locator("pre").innerText();
    await look(page, "secret-once", { widths: [360, 1440] });
    await dialog.getByRole("button", { name: "I have kept it" }).click();
    await page.reload();
    await page.getByText("terraform", { exact: true }).waitFor();
    assert.equal((await page.content()).includes(secret), false);
    await look(page, "api-keys");
  });

  test("tags, and the other settings", async () => {
    const { page, at, call, project, organisation } = world;
    await page.goto(`${at}/project-settings`);
    await page.getByRole("button", { name: "New tag" }).click();
    await page.getByRole("dialog").getByLabel("Label").fill("growth");
    await page.getByRole("button", { name: "Save the tag" }).click();
    await eventually(
      async () =>
        (await call("GET", `/projects/${project}/tags/`)).results.some((tag) => tag.label === "growth"),
      true,
    );
    const guard = page.locator("section", { has: page.getByRole("heading", { name: "Personal data" }) });
    await guard.getByText("Nothing was found so far.").waitFor();
    await guard.getByRole("radio", { name: "Warn" }).check();
    await guard.getByLabel("Values that are fine").fill("*@acme.example");
    await guard.getByLabel("Values that are fine").press("Enter");
    await guard.getByRole("button", { name: "Save" }).click();
    await eventually(async () => {
      const { pii_mode, pii_allowed_values } = await call("GET", `/projects/${project}/`);
      return [pii_mode, pii_allowed_values];
    }, ["warn", ["*@acme.example"]]);
    const environment = at.split("/environment/")[1];
    await call("POST", `/environments/${environment}/identities/`, { identifier: "eve@example.com" });
    await page.reload();
    await guard.getByText("E-mail address", { exact: true }).waitFor();
    await settled(page);
    await look(page, "project-settings");
    await page.goto(`/organisation/${organisation}/settings`);
    await settled(page);
    await look(page, "organisation-settings");
    await page.goto(`${at}/sdk-keys`);
    await settled(page);
    await look(page, "sdk-keys");
    await page.goto(`${at}/environments`);
    await look(page, "environments");
    await page.getByRole("button", { name: "New environment" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Staging");
    await page.getByRole("button", { name: "Create environment" }).click();
    await page.getByRole("button", { name: "Environment: Staging" }).waitFor();
    await page.goto("/nothing/is/here");
    await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
    noTrouble(page);
  });
});
