// Segments whose members are named: files of them, single ones, and what SDKs are told.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { look, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble } from "./support/journey.js";

function numbered(count, from = 0) {
  return Array.from({ length: count }, (_, number) => `customer-${from + number}`);
}

async function isIn(world, identifier, segment) {
  const { results } = await world.call(
    "GET",
    `/environments/${world.key}/identities/?q=${encodeURIComponent(`"${identifier}"`)}`,
  );
  const { results: segments } = await world.call(
    "GET",
    `/projects/${world.project}/segments/?identity=${results[0].id}`,
  );
  return segments.some((one) => one.name === segment);
}

async function send(page, mode, name, buffer, confirm) {
  await page.getByRole("button", { name: "Upload a file" }).click();
  const dialog = page.getByRole("dialog", { name: "Upload a file of members" });
  await dialog.locator('input[type="file"]').setInputFiles({ name, mimeType: "text/plain", buffer });
  await dialog.getByRole("radio", { name: mode }).check();
  if (confirm) {
    assert.equal(await dialog.getByRole("button", { name: "Send the file" }).isDisabled(), true);
    await dialog.getByRole("textbox").fill(confirm);
  }
  await dialog.getByRole("button", { name: "Send the file" }).click();
  await dialog.getByText("The file is in").waitFor();
  return dialog;
}

journey("list segments", (world) => {
  const counts = async () => {
    const { included, excluded } = await world.call(
      "GET",
      `/environments/${world.key}/list-segments/high-value/`,
    );
    return [included, excluded];
  };

  test("a list segment is made, and files of members are added, removed and put in its place", async () => {
    const { page, at } = world;
    await page.goto(`${at}/segments/new`);
    await page.getByText("By a list", { exact: true }).click();
    await page.getByLabel("Name").fill("High value");
    await settled(page);
    await look(page, "list-segment-new");
    await page.getByRole("button", { name: "Create list segment" }).click();
    await page.getByRole("heading", { name: "High value", level: 1 }).waitFor();
    await page.getByText("Nobody is on the list here yet.").waitFor();

    const csv = `plan,identifier\n${["ada", ...numbered(2000), "customer-1"].map((one) => `gold,${one}`).join("\n")}\n`;
    const added = await send(page, "Add", "members.csv.gz", gzipSync(csv));
    await added.getByText("2,001 added, 0 removed").waitFor();
    await added.getByText("Lines passed over: 1 there twice.").waitFor();
    await look(page, "list-segment-uploaded", { widths: [360, 1440] });
    await added.getByRole("button", { name: "Close", exact: true }).last().click();
    assert.deepEqual(await counts(), [2001, 0]);
    await page.getByText("evaluated by the server only").waitFor();
    assert.equal(await isIn(world, "ada", "High value"), true);

    const lines = numbered(500).map((identifier) => JSON.stringify({ identifier }));
    const removed = await send(page, "Remove", "gone.ndjson", Buffer.from(lines.join("\n")));
    await removed.getByText("0 added, 500 removed").waitFor();
    await removed.getByRole("button", { name: "Close", exact: true }).last().click();
    assert.deepEqual(await counts(), [1501, 0]);

    const replaced = await send(page, "Replace", "all.csv", Buffer.from("ada\ncustomer-7\n"), "High value");
    await replaced.getByText("The list has 2 members now.").waitFor();
    await replaced.getByRole("button", { name: "Close", exact: true }).last().click();
    assert.deepEqual(await counts(), [2, 0]);
  });

  test("a file that can't be read changes nothing, and says so", async () => {
    const { page } = world;
    await page.getByRole("button", { name: "Upload a file" }).click();
    const dialog = page.getByRole("dialog", { name: "Upload a file of members" });
    await dialog
      .locator('input[type="file"]')
      .setInputFiles({ name: "bad.ndjson", mimeType: "text/plain", buffer: Buffer.from('{"nobody": 1}\n') });
    await dialog.getByRole("button", { name: "Send the file" }).click();
    await dialog.getByRole("alert").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    assert.deepEqual(await counts(), [2, 0]);
  });

  test("a large file says how far it is, and can be stopped", async () => {
    const { page } = world;
    const network = await page.context().newCDPSession(page);
    const throttle = (uploadThroughput) =>
      network.send("Network.emulateNetworkConditions", {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput,
      });
    await throttle(400_000);
    await page.getByRole("button", { name: "Upload a file" }).click();
    const dialog = page.getByRole("dialog", { name: "Upload a file of members" });
    await dialog.locator('input[type="file"]').setInputFiles({
      name: "many.csv",
      mimeType: "text/csv",
      buffer: Buffer.from(numbered(300_000).join("\n")),
    });
    await dialog.getByRole("button", { name: "Send the file" }).click();
    await dialog.getByText(/^Sent: [1-9]\d* %$/).waitFor();
    await look(page, "list-segment-sending", { widths: [1440] });
    await dialog.getByRole("button", { name: "Stop" }).click();
    await dialog.getByText("It was stopped.").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await throttle(-1);
    assert.deepEqual(await counts(), [2, 0]);
  });

  test("single members are named, looked up, and downloaded", async () => {
    const { page } = world;
    await page.getByRole("button", { name: "Name members" }).click();
    const dialog = page.getByRole("dialog", { name: "Name members" });
    await dialog.getByText("Who is not", { exact: true }).click();
    await dialog.getByLabel("Members").fill("customer-7\n\ncustomer-8\ncustomer-7");
    await dialog.getByText("2 named").waitFor();
    await dialog.getByRole("button", { name: "Add them" }).click();
    await eventually(counts, [2, 2]);
    await page.getByLabel("Look somebody up").fill("ada");
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByText("is on the list: in the segment.").waitFor();
    await page.getByLabel("Look somebody up").fill("customer-8");
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByText("is excluded: not in the segment.").waitFor();
    await page.getByLabel("Look somebody up").fill("nobody");
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByText("is on no list here").waitFor();
    await settled(page);
    await look(page, "list-segment");
    const begun = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download the included members of kind user" }).click();
    await page.getByRole("menuitem", { name: "As CSV" }).click();
    const download = await begun;
    assert.equal(download.suggestedFilename(), "high-value-Development-included-members.csv");
    assert.deepEqual(
      readFileSync(await download.path(), "utf8")
        .trim()
        .split("\n")
        .map((line) => line.replaceAll('"', ""))
        .sort(),
      ["ada", "customer-7", "identifier"].sort(),
    );
  });

  test("rules of another segment ask for the list, and the list says so", async () => {
    const { page, at } = world;
    await page.goto(`${at}/segments/new`);
    await page.getByLabel("Name").fill("valued_here");
    await page.getByRole("combobox", { name: "Trait" }).fill("$.lists");
    await page.getByRole("option", { name: "$.lists['high-value']" }).click();
    await page.getByRole("combobox", { name: "Operator" }).click();
    await page.getByRole("option", { name: "is set", exact: true }).click();
    await page.getByRole("button", { name: "Create segment" }).click();
    await page.getByRole("heading", { name: "valued_here", level: 1 }).waitFor();
    assert.equal(await isIn(world, "ada", "valued_here"), true);
    await page.goto(`${at}/segments`);
    await settled(page);
    await look(page, "segments-with-lists");
    await page.getByRole("link", { name: "High value" }).click();
    await page.getByText("The rules of these segments ask for the list:").waitFor();
    await page.getByRole("link", { name: "valued_here" }).waitFor();
  });

  test("a segment with rules gets a list beside them, and its words can be changed", async () => {
    const { page, at, call, project } = world;
    await page.goto(`${at}/segments`);
    await page.getByRole("link", { name: "beta_testers" }).click();
    await page.getByRole("button", { name: "Name members" }).click();
    await page.getByText("Nobody is on the list here yet.").waitFor();
    await page.getByRole("heading", { name: "Who else is in it" }).waitFor();
    await page.goto(`${at}/segments`);
    await page.getByRole("link", { name: "High value" }).click();
    await page.getByLabel("Description").fill("Those who pay most");
    await page.getByRole("button", { name: "Save the segment" }).click();
    await eventually(async () => {
      const { results } = await call("GET", `/projects/${project}/segments/?q=High`);
      return results[0].description;
    }, "Those who pay most");
  });

  test("who may not see identities is told how many there are, and not who", async () => {
    const { page } = await member(world, "viewer@example.com", {
      project: ["VIEW_PROJECT"],
      environment: ["VIEW_ENVIRONMENT"],
    });
    await page.goto(`${world.at}/segments`);
    await page.getByRole("link", { name: "High value" }).click();
    await page.getByText("Who is on it, those see who may see identities.").waitFor();
    assert.equal(await page.getByRole("button", { name: "Upload a file" }).count(), 0);
    assert.equal(await page.getByRole("button", { name: /^Download/ }).count(), 0);
    noTrouble(page);
    noTrouble(world.page);
  });
});
