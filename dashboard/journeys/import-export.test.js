// Projects and organisations as files: written, looked at before they are taken in, and taken in.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { look, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble } from "./support/journey.js";

async function downloaded(page, button) {
  const begun = page.waitForEvent("download");
  await button.click();
  const download = await begun;
  return {
    name: download.suggestedFilename(),
    text: readFileSync(await download.path(), "utf8"),
  };
}

function section(page, title) {
  return page.locator("section").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
}

journey("import and export", (world) => {
  let file;

  test("a project is downloaded, with its identities where that is asked for", async () => {
    const { page, at } = world;
    await page.goto(`${at}/features`);
    await page.getByRole("link", { name: "Import and export" }).click();
    const exporting = section(page, "The project as one file");
    const plain = await downloaded(page, exporting.getByRole("button", { name: "Download the file" }));
    assert.equal(plain.name, "Web-shop-project.json");
    assert.equal(JSON.parse(plain.text).format.includes("project"), true);
    assert.equal(plain.text.includes(world.key), false);
    await exporting.getByRole("checkbox", { name: "With the identities and their traits" }).check();
    await exporting.getByRole("checkbox", { name: "With the keys of the environments" }).check();
    file = await downloaded(page, exporting.getByRole("button", { name: "Download the file" }));
    assert.equal(file.name, "Web-shop-project.ndjson");
    assert.ok(file.text.trim().split("\n").length > 1);
    assert.ok(file.text.includes(world.key));
    await settled(page);
    await look(page, "import-export");
  });

  test("a file is looked at before it is taken in, and makes what is not there", async () => {
    const { page, call, organisation } = world;
    await page.goto(`/organisation/${organisation}/import-export`);
    const importing = section(page, "Import a file");
    await importing
      .locator('input[type="file"]')
      .setInputFiles({ name: file.name, mimeType: "application/x-ndjson", buffer: Buffer.from(file.text) });
    await importing.getByLabel("What the project is called here").fill("Second shop");
    await importing.getByRole("button", { name: "Look what it would do" }).click();
    await importing.getByText("This would happen. Nothing is changed yet.").waitFor();
    await importing.getByText("new project").waitFor();
    await settled(page);
    await look(page, "import-dry-run");
    const names = async () =>
      (await call("GET", `/projects/?organisation=${organisation}`)).map((one) => one.name).sort();
    assert.equal((await names()).includes("Second shop"), false);
    await importing.getByRole("button", { name: "Import it" }).click();
    await importing.getByText("The file is in.").waitFor();
    assert.equal((await names()).includes("Second shop"), true);
    await page.goto(`/organisation/${organisation}`);
    await page.getByText("Second shop").first().waitFor();
  });

  test("what is no such file is refused, with the reason", async () => {
    const { page, at } = world;
    await page.goto(`${at}/import-export`);
    const importing = section(page, "Import the file of a project");
    await importing
      .locator('input[type="file"]')
      .setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from('{"a": 1}') });
    await importing.getByRole("button", { name: "Look what it would do" }).click();
    await importing.getByRole("alert").waitFor();
    assert.equal(await importing.getByRole("button", { name: "Import it" }).count(), 0);
  });

  test("an organisation is downloaded as one file", async () => {
    const { page, organisation } = world;
    await page.goto(`/organisation/${organisation}/import-export`);
    const { name, text } = await downloaded(page, page.getByRole("button", { name: "Download the file" }));
    assert.equal(name, "Example-organisation.json");
    assert.equal(JSON.parse(text).format.includes("organisation"), true);
  });

  test("features of an environment go out and come in", async () => {
    const { page, at, call, project, features } = world;
    await page.goto(`${at}/import-export`);
    const exporting = section(page, "Features of one environment, as a file");
    await exporting.getByRole("button", { name: "Export the features" }).click();
    await exporting.getByText("done", { exact: true }).waitFor();
    const { text } = await downloaded(page, exporting.getByRole("button", { name: /^Download / }));
    assert.deepEqual(
      JSON.parse(text)
        .map((one) => one.name)
        .sort(),
      Object.keys(features).sort(),
    );
    await call("DELETE", `/projects/${project}/features/${features.new_checkout}/`);
    const importing = section(page, "Import features from a file");
    await importing
      .locator('input[type="file"]')
      .setInputFiles({ name: "features.json", mimeType: "application/json", buffer: Buffer.from(text) });
    await importing.getByRole("radio", { name: "Make anew" }).check();
    assert.equal(await importing.getByRole("button", { name: "Import the features" }).isDisabled(), true);
    await importing.getByRole("radio", { name: "Leave as they are" }).check();
    await importing.getByRole("button", { name: "Import the features" }).click();
    await importing.getByText("done", { exact: true }).waitFor();
    await eventually(
      async () => (await call("GET", `/projects/${project}/features/?search=new_checkout`)).count,
      1,
    );
  });

  test("an import from LaunchDarkly that can't succeed says why", async () => {
    const { page } = world;
    const importing = section(page, "From LaunchDarkly");
    await importing.getByLabel("Access token").fill("api-nobody");
    await importing.getByLabel("Key of the project there").fill("default");
    await importing.getByRole("button", { name: "Begin the import" }).click();
    await importing.getByText(/at work|failed/).waitFor();
    await settled(page);
    await look(page, "import-export-used", { widths: [360, 1440] });
    noTrouble(page);
  });

  test("who administers nothing is told that files are for administrators", async () => {
    const { page } = await member(world, "reader@example.com", {
      project: ["VIEW_PROJECT"],
      environment: ["VIEW_ENVIRONMENT"],
    });
    await page.goto(`${world.at}/import-export`);
    await page.getByText("This is for administrators").waitFor();
    noTrouble(page);
  });
});
