// Who may do what: roles limited by tags, roles of keys, and what is granted to single people and groups.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble } from "./support/journey.js";

journey("permissions", (world) => {
  let person;

  test("a permission of a role is limited to features with a tag", async () => {
    const { page, call, organisation, project, environments } = world;
    const role = await call("POST", `/organisations/${organisation}/roles/`, { name: "Growth" });
    const { results: tags } = await call("GET", `/projects/${project}/tags/?page_size=99`);
    await page.goto(`/organisation/${organisation}/roles`);
    await page.getByRole("button", { name: "Growth" }).click();
    await page.getByRole("combobox", { name: "In the project" }).click();
    await page.getByRole("option", { name: "Web shop" }).click();
    await page.getByRole("combobox", { name: "In the environment" }).click();
    await page.getByRole("option", { name: environments[0].name }).click();
    await page.getByRole("checkbox", { name: /^Update the state or value/ }).click();
    await page.getByRole("combobox", { name: /only features with one of these tags/ }).click();
    await page.getByRole("option", { name: tags[0].label }).click();
    await page.keyboard.press("Escape");
    await eventually(async () => {
      const { results } = await call(
        "GET",
        `/organisations/${organisation}/roles/${role.id}/environments-permissions/`,
      );
      return results[0]?.permissions;
    }, [{ permission_key: "UPDATE_FEATURE_STATE", tags: [tags[0].id] }]);
    await settled(page);
    await look(page, "role-tags");
  });

  test("a key of a program gets a role", async () => {
    const { page, call, organisation } = world;
    await call("POST", `/organisations/${organisation}/master-api-keys/`, {
      name: "deploy",
      is_admin: false,
    });
    await page.reload();
    await page.getByRole("button", { name: "Growth" }).click();
    await page.getByRole("combobox", { name: "API keys" }).click();
    await page.getByRole("option", { name: "deploy" }).click();
    const { results } = await call("GET", `/organisations/${organisation}/roles/`);
    await eventually(
      async () =>
        (await call("GET", `/organisations/${organisation}/roles/${results[0].id}/master-api-keys/`)).count,
      1,
    );
  });

  test("a person is given permissions in a project and an environment", async () => {
    const { page, at, call, organisation, project, key } = world;
    person = await member(world, "paula@example.com");
    await call("POST", `/organisations/${organisation}/groups/`, { name: "Support" });
    await page.goto(`${at}/features`);
    await page.getByRole("link", { name: "Permissions" }).click();
    const inProject = page
      .locator("section")
      .filter({ has: page.getByRole("heading", { name: "In the project Web shop" }) });
    await inProject.getByRole("combobox", { name: "Give permissions to" }).click();
    await page.getByRole("option", { name: /paula/ }).click();
    const dialog = page.getByRole("dialog", { name: /What paula/ });
    await dialog.getByRole("checkbox", { name: "View permission" }).check();
    await look(page, "grant", { widths: [360, 1440] });
    await dialog.getByRole("button", { name: "Save" }).click();
    await eventually(
      async () =>
        (await call("GET", `/projects/${project}/user-permissions/`)).find(
          (one) => one.user.email === "paula@example.com",
        )?.permissions,
      ["VIEW_PROJECT"],
    );
    const inEnvironment = page
      .locator("section")
      .filter({ has: page.getByRole("heading", { name: /^In the environment/ }) });
    await inEnvironment.getByRole("combobox", { name: "Give permissions to" }).click();
    await page.getByRole("option", { name: "Support" }).click();
    await page
      .getByRole("dialog")
      .getByRole("checkbox", { name: "Administrator of the environment" })
      .check();
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await inEnvironment.getByText("everything", { exact: true }).waitFor();
    const groups = await call("GET", `/environments/${key}/user-group-permissions/`);
    assert.deepEqual(
      groups.map((one) => [one.group.name, one.admin]),
      [["Support", true]],
    );
    await settled(page);
    await look(page, "permissions");
  });

  test("what was granted is changed and taken back", async () => {
    const { page, call, project } = world;
    const ofPaula = async () =>
      (await call("GET", `/projects/${project}/user-permissions/`)).find(
        (one) => one.user.email === "paula@example.com",
      );
    await page.getByRole("button", { name: /Edit what paula/ }).click();
    await page.getByRole("dialog").getByRole("checkbox", { name: "Administrator of the project" }).check();
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await eventually(async () => (await ofPaula()).admin, true);
    await page.getByRole("button", { name: /Take back what paula/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Take it back" }).click();
    await eventually(ofPaula, undefined);
    noTrouble(page);
    noTrouble(person.page);
  });
});
