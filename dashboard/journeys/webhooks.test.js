// Webhooks, from their making to what they were sent, against a receiver that now and then refuses.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { flip, look, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble } from "./support/journey.js";
import { ALLOW_PRIVATE, startReceiver } from "./support/receiver.js";

journey(
  "webhooks",
  (world) => {
    let receiver;
    before(async () => {
      receiver = await startReceiver();
    });
    after(() => receiver?.stop());

    test("an address is tried before it is added, and its refusal is told with its words", async () => {
      const { page, at } = world;
      await page.goto(`${at}/webhooks`);
      await page.getByRole("heading", { name: "No webhooks yet" }).waitFor();
      await look(page, "webhooks-empty");
      await page.getByRole("button", { name: "New webhook" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Address").fill(`${receiver.url}/flags`);
      receiver.answer = () => ({ status: 503, body: "not today" });
      await dialog.getByRole("button", { name: "Send an example" }).click();
      await dialog.getByText("It answered 503").waitFor();
      await dialog.getByText("not today").waitFor();
      await look(page, "webhook-new", { widths: [360, 1440] });
      receiver.answer = () => ({});
      await dialog.getByRole("button", { name: "Send an example" }).click();
      await dialog.getByText("with the status 200").waitFor();
      assert.equal(JSON.parse(receiver.received.at(-1).body).event_type, "FLAG_UPDATED");
    });

    test("its secret is shown once, and signs what is sent", async () => {
      const { page, call, key, features } = world;
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("button", { name: "Make one" }).click();
      await dialog.getByRole("button", { name: "Add the webhook" }).click();
      const secret = page.getByRole("dialog", { name: "The secret of the webhook" });
      const shown = await secret.locator("pre").innerText();
      assert.match(shown, /^whsec_/);
      await secret.getByRole("button", { name: "I have kept it" }).click();
      await page.getByText("signed", { exact: true }).waitFor();
      assert.equal((await page.content()).includes(shown), false);
      receiver.received.length = 0;
      const state = await stateOf(call, key, features.banner_text);
      await call("PATCH", `/environments/${key}/featurestates/${state.id}/`, { enabled: !state.enabled });
      await eventually(() => receiver.received.length > 0, true);
      const { headers, body } = receiver.received[0];
      const expected = createHmac("sha256", shown).update(body).digest("hex");
      assert.equal(headers["x-flagsmith-signature"], expected);
    });

    test("what was sent is listed, and sent again", async () => {
      const { page } = world;
      receiver.answer = () => ({ status: 500 });
      await page.getByRole("link", { name: receiver.url }).click();
      await page.getByText("delivered").first().waitFor();
      await page.getByRole("button", { expanded: false }).filter({ hasText: "FLAG_UPDATED" }).first().click();
      await page.getByText("webhook-id").waitFor();
      await look(page, "webhook-deliveries");
      const before = receiver.received.length;
      await page.getByRole("button", { name: "Send it again" }).click();
      await eventually(() => receiver.received.length > before, true);
      await page.getByText("answered 500", { exact: true }).waitFor();
      assert.equal(
        receiver.received.at(-1).headers["webhook-id"],
        receiver.received[before - 1].headers["webhook-id"],
      );
      await look(page, "webhook-failing", { widths: [360, 1440] });
      receiver.answer = () => ({});
    });

    test("it is switched off, edited and deleted by its name", async () => {
      const { page, at, call, key } = world;
      await page.goto(`${at}/webhooks`);
      await flip(page.getByRole("switch", { name: /is on$/ }));
      await eventually(async () => (await call("GET", `/environments/${key}/webhooks/`))[0].enabled, false);
      await look(page, "webhooks");
      await page.getByRole("button", { name: /^What can be done/ }).click();
      await page.getByRole("menuitem", { name: "Edit or try it" }).click();
      await page.getByRole("dialog").getByLabel("Address").fill(`${receiver.url}/elsewhere`);
      await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await page.getByText("/elsewhere").waitFor();
      const [webhook] = await call("GET", `/environments/${key}/webhooks/`);
      assert.match(webhook.secret, /^whsec_/, "an edit without a secret leaves the secret");
      await page.getByRole("button", { name: /^What can be done/ }).click();
      await page.getByRole("menuitem", { name: "Delete" }).click();
      const dialog = page.getByRole("dialog");
      assert.equal(await dialog.getByRole("button", { name: "Delete" }).isDisabled(), true);
      await dialog.getByRole("textbox").fill(new URL(receiver.url).host);
      await dialog.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("heading", { name: "No webhooks yet" }).waitFor();
    });

    test("an organisation's webhook is told of the audit log, and somebody of failures", async () => {
      const { page, call, organisation } = world;
      await page.goto(`/organisation/${organisation}/webhooks`);
      await page.getByRole("button", { name: "New webhook" }).click();
      await page.getByRole("dialog").getByLabel("Address").fill(`${receiver.url}/audit`);
      await page.getByRole("dialog").getByRole("button", { name: "Add the webhook" }).click();
      await page.getByRole("link", { name: `${receiver.url}/audit` }).waitFor();
      await page.getByLabel("E-mail address").fill("ops@example.com");
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await eventually(
        async () => (await call("GET", `/organisations/${organisation}/`)).webhook_notification_email,
        "ops@example.com",
      );
      await look(page, "organisation-webhooks");
      await page.getByRole("link", { name: `${receiver.url}/audit` }).click();
      await page.getByText("AUDIT_LOG_CREATED").first().waitFor();
      await settled(page);
      await look(page, "organisation-webhook", { widths: [360, 1440] });
    });

    test("a member who may not change them sees no secret and no way to change", async () => {
      const { at, call, key } = world;
      await call("POST", `/environments/${key}/webhooks/`, { url: `${receiver.url}/x`, secret: "quiet" });
      const { page } = await member(world, "wim@example.com", {
        project: ["VIEW_PROJECT"],
        environment: ["VIEW_ENVIRONMENT"],
      });
      await page.goto(`${at}/webhooks`);
      await page.getByText(`${receiver.url}/x`).waitFor();
      assert.equal(await page.getByRole("button", { name: "New webhook" }).count(), 0);
      assert.equal(await page.getByRole("switch").isDisabled(), true);
      noTrouble(page);
      await page.context().close();
      noTrouble(world.page);
    });
  },
  { env: ALLOW_PRIVATE },
);

async function stateOf(call, key, feature) {
  const { results } = await call("GET", `/environments/${key}/featurestates/?feature=${feature}`);
  return results[0];
}
