import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { refuseChanges, setReadOnly } from "~/api/read-only";
import { ask, lastTold, subjectOf } from "./client";
import { DEFAULTS, statesOf } from "./flags";

const answer = (body: unknown, status = 200) =>
  vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response(JSON.stringify(body), { status }));

const flag = (name: string, enabled: boolean, value: unknown = null) => ({
  feature: { name },
  enabled,
  feature_state_value: value,
});

const KEY = "a-client-side-key";

describe("asking for own flags", () => {
  test("before anybody has signed in, everybody's are asked for", async () => {
    const fetched = answer([flag("oauth_google", false)]);
    const { states } = await ask("/api/v1/", KEY);
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(url).toBe("/api/v1/flags/");
    expect(init?.headers).toMatchObject({ "X-Environment-Key": KEY });
    expect(states.oauth_google.enabled).toBe(false);
    // What was not told is as by default.
    expect(states.saml).toEqual(DEFAULTS.saml);
  });

  test("somebody's are asked for with his traits, and what is known of him comes back", async () => {
    const fetched = answer({
      flags: [flag("dark_mode", true)],
      traits: [{ trait_key: "dismissed_announcement", trait_value: "3" }],
    });
    const me = { id: 7, email: "ada@example.com", is_superuser: false } as never;
    const told = await ask("https://flags.example.com/api/v1/", KEY, subjectOf(me, [{ id: 1 }, { id: 12 }]));
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(url).toBe("https://flags.example.com/api/v1/identities/");
    expect(JSON.parse(String(init?.body))).toEqual({
      identifier: "7",
      traits: [
        { trait_key: "email", trait_value: "ada@example.com" },
        { trait_key: "is_superuser", trait_value: false },
        { trait_key: "organisations", trait_value: '"1","12"' },
      ],
    });
    expect(told.states.dark_mode.enabled).toBe(true);
    expect(told.traits.dismissed_announcement).toBe("3");
  });

  test("a refusal is no answer", async () => {
    answer({ detail: "no" }, 403);
    await expect(ask("/api/v1/", KEY)).rejects.toThrow("403");
  });

  test("an answer of another form leaves everything as by default", () => {
    for (const nonsense of [null, {}, "x", [null], [{}], [{ feature: { name: "constructor" } }]])
      expect(statesOf(nonsense)).toEqual(DEFAULTS);
  });
});

describe("what was told last", () => {
  beforeEach(() => localStorage.clear());

  test("is used until there is an answer, and without it the defaults", () => {
    expect(lastTold()).toEqual(DEFAULTS);
    localStorage.setItem("burgee-own-flags", JSON.stringify({ saml: { enabled: false, value: null } }));
    expect(lastTold().saml.enabled).toBe(false);
    expect(lastTold().oauth_github).toEqual(DEFAULTS.oauth_github);
    localStorage.setItem("burgee-own-flags", "{");
    expect(lastTold()).toEqual(DEFAULTS);
  });
});

describe("reading only", () => {
  afterEach(() => setReadOnly(false));
  const request = (method: string, path: string, headers = {}) =>
    new Request(`http://burgee.test${path}`, { method, headers });

  test("refuses what would change something, and nothing else", () => {
    const change = request("PUT", "/api/v1/projects/1/");
    expect(() => refuseChanges(change)).not.toThrow();
    setReadOnly(true);
    expect(() => refuseChanges(change)).toThrow("read-only");
    expect(() => refuseChanges(request("GET", "/api/v1/projects/1/"))).not.toThrow();
    expect(() => refuseChanges(request("POST", "/api/v1/auth/logout/"))).not.toThrow();
    expect(() =>
      refuseChanges(request("POST", "/api/v1/identities/", { "X-Environment-Key": KEY })),
    ).not.toThrow();
  });
});
