// A browser that notices what a user would: errors in the console, pages that assistive technology can't use.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

const SHOTS = fileURLToPath(new URL("../../../.test/screenshots", import.meta.url));
const CHROMIUM =
  process.env.BURGEE_CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function openBrowser() {
  assert.ok(CHROMIUM, "there is no Chromium; scripts/setup-tests installs it");
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
}

/** Refusals that a journey provokes are answers, and the browser reports every one of them. */
const ANSWERS = /Failed to load resource: the server responded with a status of 4\d\d/;

/** A page of its own storage, with everything that went wrong on it. */
export async function openPage(browser, server, { token, database }) {
  const context = await browser.newContext({
    baseURL: server.url,
    viewport: { width: 1440, height: 900 },
    reducedMotion: "reduce",
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
  if (token) await context.addInitScript((token) => sessionStorage.setItem("burgee-session", token), token);
  const page = await context.newPage();
  const troubles = [];
  page.on("pageerror", (error) => troubles.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !ANSWERS.test(message.text()))
      troubles.push(`${page.url()}: ${message.text()}`);
  });
  page.setDefaultTimeout(30_000);
  return Object.assign(page, { troubles, database, shots: join(SHOTS, database) });
}

export async function settled(page) {
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(() => !document.querySelector('[role="status"][aria-label="Loading"]'));
}

/**
 * Turns a switch, or chooses a radio button, by the keyboard: as soon as it can be, and wherever the page has it. Their
 * inputs lie under what is drawn of them, so that a click would have to be forced, and could miss on a page that still moves.
 */
export async function flip(control) {
  await control.and(control.page().locator(":enabled")).waitFor({ state: "attached" });
  await control.press("Space");
}

async function theme(page, name) {
  await page.evaluate((name) => {
    localStorage.setItem("burgee-theme", name);
    document.documentElement.setAttribute("data-mantine-color-scheme", name);
  }, name);
}

async function axe(page, name) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = grave.map(
    ({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.map((node) => node.html).join("\n    ")}`,
  );
  assert.equal(told.length, 0, `${name} can't be used by everybody:\n  ${told.join("\n  ")}`);
}

async function isNoWiderThanTheScreen(page, name) {
  const fits = () => document.documentElement.scrollWidth <= document.documentElement.clientWidth;
  // The navigation slides away for a moment after the width has changed.
  await page.waitForFunction(fits, undefined, { timeout: 10_000 }).catch(async () => {
    assert.fail(`${name} is ${await page.evaluate(() => document.documentElement.scrollWidth)} wide`);
  });
}

const WIDTHS = [360, 1440, 1920];

/**
 * Looks at a page in both themes and at all widths: nothing is out of reach, and pictures are kept. Once is enough: pages
 * do not know which database there is.
 */
export async function look(page, name, { widths = WIDTHS } = {}) {
  if (page.database !== "sqlite") return;
  mkdirSync(page.shots, { recursive: true });
  const before = page.viewportSize();
  for (const scheme of ["light", "dark"]) {
    await theme(page, scheme);
    for (const width of widths) {
      await page.setViewportSize({ width, height: width < 500 ? 800 : 900 });
      await settled(page);
      await isNoWiderThanTheScreen(page, `${name} (${scheme})`);
      await page.screenshot({ path: join(page.shots, `${name}-${scheme}-${width}.png`) });
    }
    await axe(page, `${name} (${scheme})`);
  }
  await page.setViewportSize(before);
}

export function noTrouble(page) {
  assert.deepEqual(page.troubles, [], "the browser complained");
}
