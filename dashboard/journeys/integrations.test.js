// Integrations of an environment, a project and an organisation; Slack with its OAuth, against a double of Slack.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, test } from "node:test";
import { flip, look, settled } from "./support/browser.js";
import { eventually, journey, member, noTrouble } from "./support/journey.js";
import { ALLOW_PRIVATE, startReceiver } from "./support/receiver.js";

const slack = await startReceiver(answerOfSlack);
after(() => slack.stop());

/** Agrees at once and sends the browser back, as somebody does who clicks on "Allow". */
function answerOfSlack({ url }) {
  const { pathname, searchParams } = new URL(url, "http://slack");
  if (pathname === "/oauth/v2/authorize") {
    const back = new URL(searchParams.get("redirect_uri"));
    back.searchParams.set("code", "agreed");
    back.searchParams.set("state", searchParams.get("state"));
    return { status: 302, headers: { Location: back.href } };
  }
  if (pathname === "/api/oauth.v2.access") return { body: { ok: true, access_token: "xoxb-1" } };
  if (pathname === "/api/conversations.list") {
    const channels = [
      { id: "C1", name: "general" },
      { id: "C2", name: "releases" },
    ];
    return { body: { ok: true, channels, response_metadata: { next_cursor: "" } } };
  }
  return { body: { ok: true } };
}

const github = await startReceiver(answerOfGithub);
after(() => github.stop());

const { privateKey: GITHUB_KEY } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "pkcs1", format: "pem" },
});

/** Knows one installation, which may see one repository. */
function answerOfGithub({ url, headers }) {
  if (url === "/app/installations/77/access_tokens") return { status: 201, body: { token: "ghs_1" } };
  if (url.startsWith("/installation/repositories") && headers.authorization === "Bearer ghs_1") {
    const repositories = [{ id: 5, name: "shop", full_name: "acme/shop" }];
    return { body: { total_count: 1, repositories } };
  }
  return { status: 204 };
}

journey(
  "integrations",
  (world) => {
    let receiver;
    before(async () => {
      receiver = await startReceiver();
    });
    after(() => receiver?.stop());

    test("each tells what it receives, and one is set up", async () => {
      const { page, at, call, key } = world;
      await page.goto(`${at}/integrations`);
      await page.getByRole("heading", { name: /^Told of changes, for Development/ }).waitFor();
      await look(page, "integrations");
      await page.getByRole("button", { name: "Set up Dynatrace" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("API key").fill("dt0c01.SECRET");
      await dialog.getByLabel("Address").fill("not an address");
      await dialog.getByLabel("Entities").fill('type("SERVICE")');
      await dialog.getByRole("button", { name: "Set it up" }).click();
      assert.equal(await dialog.isVisible(), true, "the browser asks for an address");
      await dialog.getByLabel("Address").fill(receiver.url);
      await look(page, "integration-form", { widths: [360, 1440] });
      await dialog.getByRole("button", { name: "Set it up" }).click();
      await page.getByRole("button", { name: "Edit Dynatrace" }).waitFor();
      const [set] = await call("GET", `/environments/${key}/integrations/dynatrace/`);
      assert.deepEqual([set.api_key, set.base_url], ["********", receiver.url]);
    });

    test("it is told of a change, and its key is kept when the form is saved without one", async () => {
      const { page, call, key, features } = world;
      await page.getByRole("button", { name: "Edit Dynatrace" }).click();
      const dialog = page.getByRole("dialog");
      assert.equal(await dialog.getByLabel("API key").inputValue(), "");
      await dialog.getByLabel("Entities").fill('type("HOST")');
      await dialog.getByRole("button", { name: "Save" }).click();
      await dialog.waitFor({ state: "hidden" });
      const { results } = await call(
        "GET",
        `/environments/${key}/featurestates/?feature=${features.banner_text}`,
      );
      await call("PATCH", `/environments/${key}/featurestates/${results[0].id}/`, {
        enabled: !results[0].enabled,
      });
      await eventually(() => receiver.received.length > 0, true);
      assert.match(receiver.received[0].url, /api-token=dt0c01\.SECRET/);
      assert.match(receiver.received[0].body, /HOST/);
    });

    test("what it was sent is listed, and an example can be sent", async () => {
      const { page } = world;
      await page.getByRole("button", { name: "What Dynatrace was sent" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText(/banner_text/).waitFor();
      const before = receiver.received.length;
      await dialog.getByRole("button", { name: "Send an example" }).click();
      await dialog.getByText("An example", { exact: true }).waitFor();
      assert.equal(await dialog.getByText("delivered", { exact: true }).count(), 2);
      assert.equal(receiver.received.length, before + 1);
      await look(page, "integration-deliveries", { widths: [360, 1440] });
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "hidden" });
    });

    test("Slack is connected in the browser, and a channel is chosen", async () => {
      const { page, call, key } = world;
      await page.getByRole("button", { name: "Set up Slack" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Connect a workspace" }).click();
      // To Slack and back, to the form that was left.
      await page.getByRole("combobox", { name: "Channel" }).click();
      await page.getByRole("option", { name: "#releases" }).click();
      await look(page, "integration-slack", { widths: [360, 1440] });
      await page.getByRole("button", { name: "Set it up" }).click();
      await page.getByRole("button", { name: "Edit Slack" }).waitFor();
      const [set] = await call("GET", `/environments/${key}/integrations/slack/`);
      assert.deepEqual([set.channel_id, set.enabled], ["C2", true]);
      await page.getByRole("button", { name: "Edit Slack" }).click();
      await flip(page.getByRole("dialog").getByRole("switch", { name: "On" }));
      await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await eventually(
        async () => (await call("GET", `/environments/${key}/integrations/slack/`))[0].enabled,
        false,
      );
    });

    test("one of the project is set up, and deleted by its name", async () => {
      const { page, call, project } = world;
      await page.getByRole("button", { name: "Set up Datadog" }).click();
      await page.getByRole("dialog").getByLabel("Address").fill(receiver.url);
      await page.getByRole("dialog").getByLabel("API key").fill("dd");
      await page.getByRole("dialog").getByRole("button", { name: "Set it up" }).click();
      await page.getByRole("button", { name: "Delete Datadog" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("textbox").fill("Datadog");
      await dialog.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("button", { name: "Set up Datadog" }).waitFor();
      assert.deepEqual(await call("GET", `/projects/${project}/integrations/datadog/`), []);
    });

    test("an organisation has its own", async () => {
      const { page, call, organisation } = world;
      await page.goto(`/organisation/${organisation}/integrations`);
      await page.getByRole("button", { name: "Set up Grafana" }).click();
      await page.getByRole("dialog").getByLabel("API key").fill("glsa_1");
      await page.getByRole("dialog").getByLabel("Address").fill(receiver.url);
      await page.getByRole("dialog").getByRole("button", { name: "Set it up" }).click();
      await page.getByRole("button", { name: "Edit Grafana" }).waitFor();
      assert.equal((await call("GET", `/organisations/${organisation}/integrations/grafana/`)).length, 1);
      await look(page, "organisation-integrations");
    });

    test("GitHub is connected, and a repository given to a project", async () => {
      const { page, call, organisation, project } = world;
      await page.getByLabel("Installation").fill("77");
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await page.getByText("Installation 77").waitFor();
      await page.getByRole("combobox", { name: "Repository" }).click();
      await page.getByRole("option", { name: "acme/shop" }).click();
      await page.getByRole("combobox", { name: "Its project" }).click();
      await page.getByRole("option", { name: "Web shop" }).click();
      await page.getByRole("button", { name: "Add", exact: true }).click();
      const takeAway = page.getByRole("button", { name: "Take away the repository acme/shop" });
      await takeAway.waitFor();
      await look(page, "organisation-github");
      const [set] = (await call("GET", `/organisations/${organisation}/integrations/github/`)).results;
      const at = `/organisations/${organisation}/integrations/github/${set.id}/repositories/`;
      const [{ id, ...repository }] = (await call("GET", at)).results;
      assert.deepEqual(repository, {
        github_configuration: set.id,
        project,
        repository_owner: "acme",
        repository_name: "shop",
        tagging_enabled: true,
      });
      await takeAway.click();
      await takeAway.waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      const dialog = page.getByRole("dialog", { name: "Disconnect GitHub" });
      await dialog.getByRole("textbox").fill("GitHub");
      await dialog.getByRole("button", { name: "Delete" }).click();
      await page.getByLabel("Installation").waitFor();
      await eventually(
        () =>
          github.received.some(({ method, url }) => `${method} ${url}` === "DELETE /app/installations/77"),
        true,
      );
    });

    test("a member sees which there are, and can change none", async () => {
      const { at } = world;
      const { page } = await member(world, "ivo@example.com", {
        project: ["VIEW_PROJECT"],
        environment: ["VIEW_ENVIRONMENT"],
      });
      await page.goto(`${at}/integrations`);
      await page.getByText("set up", { exact: true }).first().waitFor();
      await settled(page);
      assert.equal(await page.getByRole("button", { name: /^(Set up|Edit|Delete) / }).count(), 0);
      noTrouble(page);
      await page.context().close();
      noTrouble(world.page);
    });
  },
  {
    env: {
      ...ALLOW_PRIVATE,
      BURGEE_SLACK_CLIENT_ID: "1.2",
      BURGEE_SLACK_CLIENT_SECRET: "shh",
      BURGEE_SLACK_URL: slack.url,
      GITHUB_APP_ID: "1",
      GITHUB_PEM: GITHUB_KEY,
      BURGEE_GITHUB_API_URL: github.url,
    },
  },
);

journey("integrations where Slack is not set up", (world) => {
  test("who would connect a workspace is told so on the page", async () => {
    const { page, at } = world;
    await page.goto(`${at}/integrations?set_up=slack`);
    await page.getByRole("button", { name: "Connect a workspace" }).click();
    await page.getByText(/^Slack is not set up on this server/).waitFor();
    await look(page, "integration-slack-missing", { widths: [360] });
    noTrouble(page);
  });
});
