// Setting up a fresh installation, and the doors to it.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { flip, look, openPage, settled } from "./support/browser.js";
import { eventually, journey, noTrouble } from "./support/journey.js";
import { client } from "./support/server.js";

const EMAIL = "ada@example.com";
const PASSWORD = "correct-horse-1";

/** The code of an authenticator app at this moment. */
function totp(secret) {
  const bits = [...secret.replace(/=+$/, "")]
    .map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = mac.at(-1) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

journey(
  "setting up",
  (world) => {
    test("whoever opens a fresh installation makes its administrator", async () => {
      const { page } = world;
      await page.goto("/");
      await page.getByRole("heading", { name: "Set up Burgee" }).waitFor();
      await look(page, "setup-1-administrator");
      await page.getByLabel("Your e-mail address").fill(EMAIL);
      await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
      await page.getByRole("button", { name: "Create the administrator" }).click();
      await page.getByRole("heading", { name: "What you work on" }).waitFor();
      await look(page, "setup-2-project");
    });

    test("it ends with a flag, whose answer changes as it is turned off", async () => {
      const { page } = world;
      await page.getByLabel("Organisation").fill("Acme");
      await page.getByLabel("Project").fill("Web shop");
      await page.getByRole("button", { name: "Create", exact: true }).click();
      await page.getByText("Hello from Burgee").waitFor();
      assert.match(await page.locator("pre").first().innerText(), /X-Environment-Key: \w{20,}/);
      await look(page, "setup-3-flag");
      const live = page.locator("[aria-live=polite]");
      await live.getByText("on", { exact: true }).waitFor();
      await flip(page.getByRole("switch"));
      await live.getByText("off", { exact: true }).waitFor();
      await page.getByRole("button", { name: "To the features" }).click();
      await page.getByRole("link", { name: "welcome_message" }).waitFor();
      await look(page, "features-first");
    });

    test("a wrong password is refused in words, the right one leads back to where one wanted to go", async () => {
      const page = await openPage(world.browser, world.server, { database: world.database });
      await page.goto("/account");
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await page.getByLabel("E-mail address").fill(EMAIL);
      await page.getByRole("textbox", { name: "Password" }).fill("wrong");
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.getByRole("alert").waitFor();
      await look(page, "login-refused");
      await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.getByRole("heading", { name: "Your account", exact: true }).waitFor();
      await look(page, "account");
      noTrouble(page);
      await page.context().close();
    });

    test("a second factor is set up, and asked for from then on", async () => {
      const { page } = world;
      await page.goto("/account");
      await page.getByRole("button", { name: "Set up" }).click();
      await page.getByText("Scan this with the app").waitFor();
      const secret = await page.locator("code", { hasText: /^[A-Z2-7]{16,}$/ }).innerText();
      await look(page, "account-second-factor");
      await page.getByLabel("Code", { exact: true }).fill(totp(secret));
      await page.getByRole("button", { name: "Turn on" }).click();
      await page.getByRole("dialog").getByText("backup codes").waitFor();
      const [backup] = await page.getByRole("dialog").locator("code").allInnerTexts();
      await page.getByRole("button", { name: "I have kept them" }).click();
      await page.getByRole("button", { name: "Your account", exact: true }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await page.getByLabel("E-mail address").fill(EMAIL);
      await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.getByRole("heading", { name: "One more step" }).waitFor();
      await look(page, "login-second-factor");
      await page.getByRole("button", { name: "Use a backup code" }).click();
      await page.getByLabel("Backup code").fill(backup);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.getByRole("button", { name: "Your account", exact: true }).waitFor();
    });

    test("a link to join makes somebody new a member", async () => {
      const { page } = world;
      await page.goto("/organisation/1/members");
      await page.getByRole("button", { name: "New link" }).click();
      const link = await page.getByText(/\/invite-link\//).innerText();
      const guest = await openPage(world.browser, world.server, { database: world.database });
      await guest.goto(link);
      await look(guest, "invitation");
      await guest.getByRole("button", { name: "Create an account" }).click();
      await look(guest, "signup");
      await guest.getByLabel("First name").fill("Grace");
      await guest.getByLabel("Last name").fill("Hopper");
      await guest.getByLabel("E-mail address").fill("grace@example.com");
      await guest.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
      await guest.getByRole("button", { name: "Create account" }).click();
      await guest.getByRole("button", { name: "Join" }).click();
      await guest.getByRole("button", { name: "Organisation: Acme" }).waitFor();
      await settled(guest);
      noTrouble(guest);
      const { key } = await client(world.server)("POST", "/auth/login/", {
        email: "grace@example.com",
        password: PASSWORD,
      });
      await eventually(
        async () =>
          (await client(world.server, key)("GET", "/organisations/")).results.map((one) => one.name),
        ["Acme"],
      );
      await guest.context().close();
      noTrouble(page);
    });
  },
  { demo: false },
);
