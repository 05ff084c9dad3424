// Signing in through identity providers, set up on the page of the organisation.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { look, openPage, settled } from "./support/browser.js";
import { eventually, journey, noTrouble } from "./support/journey.js";
import { openIdProvider, samlProvider } from "./support/providers.js";

function section(page, title) {
  return page.locator("section").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
}

/** A page on which nobody is signed in. */
const outside = (world) => openPage(world.browser, world.server, { database: world.database });

async function prepare(world) {
  world.openId = await openIdProvider({ sub: "1", email: "olga@acme.example", name: "Olga Open" });
  world.saml = await samlProvider({
    email: "sam@acme.example",
    attributes: { "urn:given": "Sam", "urn:family": "Ml" },
  });
  return world.openId.environment;
}

journey(
  "single sign-on",
  (world) => {
    after(() => {
      world.openId.stop();
      world.saml.stop();
    });
    const members = async () =>
      (await world.call("GET", `/organisations/${world.organisation}/users/`)).map((one) => [
        one.email,
        one.first_name,
      ]);

    test("a SAML provider is set up, with what it has to be told", async () => {
      const { page, organisation, server } = world;
      await page.goto(`/organisation/${organisation}`);
      await page.getByRole("link", { name: "Single sign-on" }).click();
      await page.getByText("No SAML provider yet").waitFor();
      await page.getByText("Members can sign in with Acme.").waitFor();
      await settled(page);
      await look(page, "single-sign-on-empty");
      await page.getByRole("button", { name: "New provider" }).click();
      const dialog = page.getByRole("dialog", { name: "New SAML provider" });
      await dialog.getByLabel("Name").fill("acme");
      await dialog.getByLabel("Metadata of the identity provider").fill("<nothing/>");
      await dialog.getByRole("button", { name: "Save the provider" }).click();
      await dialog.getByText(/Invalid metadata/).waitFor();
      await look(page, "saml-form", { widths: [360, 1440] });
      await dialog.locator('input[type="file"]').setInputFiles({
        name: "metadata.xml",
        mimeType: "application/xml",
        buffer: Buffer.from(world.saml.metadata),
      });
      await dialog.getByRole("button", { name: "Save the provider" }).click();
      await page.getByText(`${server.url}/api/v1/auth/saml/acme/response/`).waitFor();
    });

    test("its attributes are told apart", async () => {
      const { page } = world;
      for (const [attribute, meaning] of [
        ["urn:given", "First name"],
        ["urn:family", "Last name"],
      ]) {
        await page.getByLabel("Attribute there").fill(attribute);
        await page.getByRole("combobox", { name: "says the" }).click();
        await page.getByRole("option", { name: meaning }).click();
        await page.getByRole("button", { name: "Add", exact: true }).click();
        await page.getByRole("button", { name: `Remove the attribute ${attribute}` }).waitFor();
      }
      await settled(page);
      await look(page, "single-sign-on");
    });

    test("somebody signs in with SAML, in the browser, and is a member", async () => {
      const page = await outside(world);
      await page.goto("/login");
      await page.getByRole("button", { name: "Sign in with SAML" }).click();
      await page.getByLabel("Name of your organisation's sign-in").fill("acme");
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByRole("button", { name: "Example" }).first().waitFor();
      assert.deepEqual(
        (await members()).find(([email]) => email === "sam@acme.example"),
        ["sam@acme.example", "Sam"],
      );
      noTrouble(page);
    });

    test("an unknown SAML sign-in is refused on the page", async () => {
      const page = await outside(world);
      await page.goto("/login");
      await page.getByRole("button", { name: "Sign in with SAML" }).click();
      await page.getByLabel("Name of your organisation's sign-in").fill("nobody");
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByRole("alert").waitFor();
      noTrouble(page);
    });

    test("somebody signs in with OpenID Connect", async () => {
      const page = await outside(world);
      await page.goto("/login");
      await page.getByRole("button", { name: "Sign in with Acme" }).click();
      await page.waitForURL((url) => !/login|oidc|authorize/.test(url.pathname));
      const token = await page.evaluate(() => sessionStorage.getItem("burgee-session"));
      const me = await fetch(`${world.server.url}/api/v1/auth/users/me/`, {
        headers: { Authorization: `Token ${token}` },
      });
      assert.equal((await me.json()).email, "olga@acme.example");
      noTrouble(page);
    });

    test("a provider may keep the members by SCIM, with a token that is shown once", async () => {
      const { page, organisation, server } = world;
      await page.goto(`/organisation/${organisation}/single-sign-on`);
      await page.getByRole("button", { name: "Let it keep the members" }).click();
      const dialog = page.getByRole("dialog", { name: "The token of the provider" });
      const token = await dialog.locator("pre").innerText();
      await dialog.getByRole("button", { name: "I have kept it" }).click();
      const base = await page.getByText(`${server.url}/api/v1/scim/v2`).innerText();
      const people = (token) =>
        fetch(`${base.replace(/\/$/, "")}/Users/`, { headers: { Authorization: `Bearer ${token}` } });
      assert.equal((await people(token)).status, 200);
      await settled(page);
      await look(page, "scim", { widths: [360, 1440] });
      await section(page, "SCIM").getByRole("button", { name: "New token" }).click();
      await page.getByRole("button", { name: "Make a new token" }).click();
      const renewed = await dialog.locator("pre").innerText();
      await dialog.getByRole("button", { name: "I have kept it" }).click();
      assert.equal((await people(token)).status, 401);
      assert.equal((await people(renewed)).status, 200);
      await page.getByRole("button", { name: "Keep members by hand again" }).click();
      const asking = page.getByRole("dialog", { name: "Let the provider in no more" });
      await asking.getByRole("textbox").fill("Example");
      await asking.getByRole("button", { name: "Let it in no more" }).click();
      await page.getByText("Members are kept by hand.").waitFor();
      assert.equal((await people(renewed)).status, 401);
    });

    test("a SAML provider goes after its name was typed", async () => {
      const { page, call, organisation } = world;
      await page.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("dialog").getByRole("textbox").fill("acme");
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await eventually(
        async () => (await call("GET", `/auth/saml/configuration/?organisation=${organisation}`)).count,
        0,
      );
      noTrouble(page);
    });
  },
  { env: prepare },
);
