// How the dashboard travels: small, cached, and with nothing let in that is not its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "./support/browser.js";
import { journey, noTrouble } from "./support/journey.js";

const HTML = { headers: { Accept: "text/html" } };

journey("the way to the browser", (world) => {
  test("the page is asked for anew each time, and lets nothing run but the files of this server", async () => {
    const page = await fetch(`${world.server.url}/project/1/environment/x/features`, HTML);
    assert.equal(page.status, 200);
    assert.equal(page.headers.get("cache-control"), "no-cache");
    const policy = page.headers.get("content-security-policy");
    assert.match(policy, /default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(policy, /unsafe/);
    const nonce = /'nonce-(\w+)'/.exec(policy)[1];
    assert.ok((await page.text()).includes(nonce));
    const again = await fetch(`${world.server.url}/`, HTML);
    assert.notEqual(/'nonce-(\w+)'/.exec(again.headers.get("content-security-policy"))[1], nonce);
  });

  test("files come compressed, are kept for good, and are not sent twice", async () => {
    const page = await (await fetch(`${world.server.url}/`, HTML)).text();
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(page)[1];
    for (const [asked, given] of [
      ["br, gzip", "br"],
      ["gzip", "gzip"],
      ["gzip;q=0", null],
    ]) {
      const file = await fetch(`${world.server.url}${script}`, { headers: { "Accept-Encoding": asked } });
      assert.equal(file.headers.get("content-encoding"), given, asked);
      assert.match(file.headers.get("cache-control"), /max-age=31536000, immutable/);
      assert.match(file.headers.get("content-type"), /javascript/);
      const etag = file.headers.get("etag");
      await file.arrayBuffer();
      const known = await fetch(`${world.server.url}${script}`, {
        headers: { "Accept-Encoding": asked, "If-None-Match": etag },
      });
      assert.equal(known.status, 304);
    }
  });

  test("what is no page stays an error: for programs, for the API, for files", async () => {
    const { url } = world.server;
    for (const [path, init] of [
      ["/nothing", { headers: { Accept: "application/json" } }],
      ["/api/v1/nothing/", HTML],
      ["/assets/nothing.js", { headers: { Accept: "*/*" } }],
      ["/assets/../../../Cargo.toml", { headers: { Accept: "*/*" } }],
      ["/index.html.gz", { headers: { Accept: "*/*" } }],
    ]) {
      assert.equal((await fetch(url + path, init)).status, 404, path);
    }
    assert.equal((await fetch(`${url}/`, { ...HTML, method: "POST" })).status, 404);
  });

  test("the first useful page is there after at most 300 kB of gzip", async () => {
    const { page, at } = world;
    const files = new Set();
    page.on("response", (response) => {
      if (response.url().includes("/assets/")) files.add(response.url());
    });
    await page.goto(`${at}/features`);
    await page.getByRole("link", { name: "banner_text" }).waitFor();
    await settled(page);
    // Browsers ask for brotli over TLS alone; over plain HTTP this is what there is.
    const headers = { "Accept-Encoding": "gzip" };
    const sizes = [...files].map(async (url) =>
      Number((await fetch(url, { headers })).headers.get("content-length")),
    );
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    console.log(`the first page takes ${files.size} files of ${bytes} bytes`);
    assert.ok(bytes > 50_000 && bytes < 300_000, `${bytes} bytes`);
    noTrouble(page);
  });
});
