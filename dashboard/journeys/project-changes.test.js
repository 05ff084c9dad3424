// What waits and what was done in all environments of a project, and in an organisation.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble, served } from "./support/journey.js";

const HOUR = 3600 * 1000;

journey("changes of a project", (world) => {
  test("requests of all environments, and of the segments, are in one list", async () => {
    const { page, at, call, project, environments, features } = world;
    for (const { api_key, name } of environments) {
      const change_sets = [{ feature: features.new_checkout, feature_states_to_update: [{ enabled: true }] }];
      await call("POST", `/environments/${api_key}/create-change-request/`, {
        title: `Checkout in ${name}`,
        change_sets,
        feature_states: [],
        environment_feature_versions: [],
      });
    }
    await call("PATCH", `/projects/${project}/`, { minimum_change_request_approvals: 1 });
    const { results } = await call("GET", `/projects/${project}/segments/`);
    const [{ id, name }] = results;
    const segment = await call("GET", `/projects/${project}/segments/${id}/`);
    await call("POST", `/projects/${project}/change-requests/`, {
      title: "A better name",
      description: "Nobody understands the old one",
      segments: [{ name: `${name} (all)`, version_of: id, rules: segment.rules }],
    });
    Object.assign(world, { segment: { id, name } });
    await page.goto(`${at}/project-change-requests`);
    for (const title of ["Checkout in Development", "Checkout in Production", "A better name"])
      await page.getByRole("link", { name: title }).waitFor();
    await look(page, "project-requests");
    await page.getByLabel("Search the titles").fill("production");
    await page.getByRole("link", { name: "A better name" }).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Checkout in Production" }).click();
    await page.getByRole("heading", { name: "Checkout in Production" }).waitFor();
    assert.match(page.url(), new RegExp(environments[1].api_key));
  });

  test("a change of a segment is looked at, approved by somebody else and published", async () => {
    const { page, at, call, project, segment } = world;
    const rights = ["VIEW_PROJECT", "APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS"];
    const approver = await member(world, "sam@example.com", {
      project: rights,
      environment: ["VIEW_ENVIRONMENT"],
    });
    await approver.page.goto(`${at}/project-change-requests`);
    await approver.page.getByRole("link", { name: "A better name" }).click();
    await approver.page.getByText(`${segment.name} (all)`).first().waitFor();
    await approver.page.getByPlaceholder("Say something about it").fill("Much better.");
    await approver.page.getByRole("button", { name: "Comment" }).click();
    await approver.page.getByText("Much better.", { exact: true }).waitFor();
    await approver.page.getByRole("button", { name: "Approve" }).click();
    await approver.page.getByText("approved", { exact: true }).waitFor();
    noTrouble(approver.page);
    await approver.page.context().close();
    await page.goto(`${at}/project-change-requests`);
    await page.getByRole("link", { name: "A better name" }).click();
    await page.getByText("Much better.", { exact: true }).waitFor();
    await look(page, "segment-request");
    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByText("published", { exact: true }).waitFor();
    await eventually(
      async () => (await call("GET", `/projects/${project}/segments/${segment.id}/`)).name,
      `${segment.name} (all)`,
    );
    await page.goto(`${at}/project-change-requests?show=published`);
    await page.getByRole("link", { name: "A better name" }).waitFor();
  });

  test("a change of a segment is asked for from its form, and alters nothing yet", async () => {
    const { page, at, call, project } = world;
    const rights = ["VIEW_PROJECT", "CREATE_PROJECT_LEVEL_CHANGE_REQUESTS"];
    const author = await member(world, "ann@example.com", {
      project: rights,
      environment: ["VIEW_ENVIRONMENT"],
    });
    await author.page.goto(`${at}/segments`);
    await author.page.getByRole("link", { name: "beta_testers" }).click();
    await author.page.getByText("Segments of this project only change through change requests.").waitFor();
    await author.page.getByLabel("Description").fill("The curious ones");
    await author.page.getByRole("button", { name: "Ask for approval" }).click();
    const dialog = author.page.getByRole("dialog", { name: "Ask for approval" });
    assert.equal(await dialog.getByLabel("Title").inputValue(), "Change beta_testers");
    await dialog.getByLabel("Why").fill("So that everybody understands it");
    await look(author.page, "segment-request-new", { widths: [360, 1440] });
    await dialog.getByRole("button", { name: "Ask for approval" }).click();
    await author.page.getByRole("heading", { name: "Change beta_testers" }).waitFor();
    await author.page.getByText("The curious ones").waitFor();
    assert.equal(await author.page.getByRole("button", { name: "Approve" }).count(), 0);
    const segment = async () =>
      (await call("GET", `/projects/${project}/segments/?q=beta_testers`)).results[0];
    assert.notEqual((await segment()).description, "The curious ones");
    const before = (await segment()).rules.length;
    const address = author.page.url();
    await author.page.goto(`${at}/segments`);
    await author.page.getByRole("button", { name: "New segment" }).click();
    await author.page.getByLabel("Name").fill("newcomers");
    await author.page.getByRole("combobox", { name: "Trait" }).fill("age");
    await author.page.keyboard.press("Escape");
    await author.page.getByRole("textbox", { name: "Value" }).fill("1");
    await author.page.getByRole("button", { name: "Ask for approval" }).click();
    await dialog.getByRole("button", { name: "Ask for approval" }).click();
    await author.page.getByRole("heading", { name: "New segment newcomers" }).waitFor();
    await author.page.getByText("new segment", { exact: true }).waitFor();
    assert.equal((await call("GET", `/projects/${project}/segments/?q=newcomers`)).count, 0);
    noTrouble(author.page);
    await author.page.context().close();
    await page.goto(address);
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByText("published", { exact: true }).waitFor();
    await eventually(async () => {
      const { description, rules } = await segment();
      return [description, rules.length];
    }, ["The curious ones", before]);
  });

  test("what is scheduled is listed with what it changes, moved and cancelled", async () => {
    const { page, at, call, environments, features } = world;
    for (const [place, { api_key }] of environments.entries()) {
      await call("POST", `/environments/${api_key}/scheduled-changes/`, {
        feature: features.banner_text,
        live_from: new Date(Date.now() + (place + 2) * 24 * HOUR).toISOString(),
        feature_states_to_update: [{ feature_state_value: { type: "unicode", string_value: "Soon" } }],
      });
    }
    await page.goto(`${at}/project-change-requests?show=scheduled`);
    const entries = page.getByRole("button", { expanded: false }).filter({ hasText: "banner_text" });
    await entries.first().waitFor();
    assert.equal(await entries.count(), environments.length);
    await page.goto(`${at}/change-requests`);
    await page.getByText("Scheduled", { exact: true }).click();
    await entries.first().click();
    await page.getByText("Soon", { exact: true }).waitFor();
    await look(page, "scheduled");
    await page.getByRole("button", { name: "Another time" }).click();
    await page.getByRole("dialog").getByLabel("When").fill("2032-02-01T10:00");
    await page.getByRole("dialog").getByRole("button", { name: "Save the time" }).click();
    await page.getByText("It happens at the new time.").waitFor();
    const path = `/environments/${environments[0].api_key}/scheduled-changes/`;
    assert.match((await call("GET", path)).results[0].live_from, /^2032-0[12]/);
    await page.getByRole("button", { name: "Cancel it" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel it" }).click();
    await page.getByRole("heading", { name: "Nothing is scheduled" }).waitFor();
    assert.equal((await served(world, "banner_text")).value, "Welcome!");
  });

  test("an organisation's audit log is narrowed to a project, a kind and a day", async () => {
    const { page, organisation, project, call } = world;
    await call("PATCH", `/organisations/${organisation}/`, { name: "Example & Sons" });
    await page.goto(`/organisation/${organisation}/audit-log`);
    await settled(page);
    await page.getByRole("combobox", { name: "About" }).click();
    await page.getByRole("option", { name: "Organisations" }).click();
    await page.waitForURL(/about=ORGANISATION/);
    await settled(page);
    await page.getByRole("button", { expanded: false }).filter({ hasText: "rganisation" }).first().click();
    await page.getByText("Example & Sons", { exact: true }).last().waitFor();
    await look(page, "organisation-audit-log");
    await page.goto(`/organisation/${organisation}/audit-log?project=${project}&about=SEGMENT`);
    await page.getByText("Web shop", { exact: true }).first().waitFor();
    await page.getByLabel("Until this day").fill("2020-01-01");
    await page.getByRole("heading", { name: "Nothing like that happened" }).waitFor();
  });

  test("a member is shown what he may see", async () => {
    const { at, organisation } = world;
    const { page } = await member(world, "pia@example.com", {
      project: ["VIEW_PROJECT"],
      environment: ["VIEW_ENVIRONMENT"],
    });
    await page.goto(`${at}/project-change-requests`);
    await page.getByRole("link", { name: "Checkout in Development" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "Checkout in Production" }).count(), 0);
    await page.goto(`/organisation/${organisation}/audit-log`);
    await page.getByRole("heading", { name: "You may not see this" }).waitFor();
    noTrouble(page);
    await page.context().close();
    noTrouble(world.page);
  });
});
