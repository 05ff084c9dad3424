import { describe, expect, test } from "vitest";
import { integrationsOf } from "~/integrations/table";
import { choicesOf, chosen, offered, withChoice } from "~/segments/operators";
import { emptyCondition, OPERATORS } from "~/segments/rules";
import { DEFAULTS, type FlagState, type OwnFlag } from "./flags";
import { environmentNames, hasIntegration, isThere, planHas } from "./gates";
import { providersBy } from "./sign-in";

const off: FlagState = { enabled: false, value: null };
const on = (value: unknown = null): FlagState => ({
  enabled: true,
  value: value === null ? null : JSON.stringify(value),
});
const but = (name: OwnFlag, state: FlagState) => ({ ...DEFAULTS, [name]: state });

describe("pages", () => {
  test("are there by default, whatever their flag", () => {
    for (const path of [
      "/project/1/environment/abc/compare",
      "/project/$project/environment/$environment/change-requests",
      "/organisation/1/roles",
      "/organisation/1/usage",
      "/project/1/environment/abc/integrations",
    ])
      expect(isThere(path, DEFAULTS), path).toBe(true);
  });

  test("go with their flag, in the navigation and at their address", () => {
    const flags = but("compare_environments", off);
    expect(isThere("/project/$project/environment/$environment/compare", flags)).toBe(false);
    expect(isThere("/project/1/environment/compare/features", flags)).toBe(true);
    expect(isThere("/project/1/environment/abc/compare", flags)).toBe(false);
    expect(isThere("/project/1/environment/abc/change-requests/7", but("4eyes", off))).toBe(false);
    expect(isThere("/organisation/1/roles", but("show_role_management", off))).toBe(false);
    expect(isThere("/organisation/1", but("show_role_management", off))).toBe(true);
  });

  test("plans decide where they are to", () => {
    expect(planHas("roles", "free", DEFAULTS)).toBe(true);
    const flags = but("plan_based_access", on());
    expect(planHas("roles", "free", flags)).toBe(false);
    expect(planHas("second_factor", "startup-v2", flags)).toBe(true);
    expect(planHas("roles", "enterprise", flags)).toBe(true);
  });
});

describe("values", () => {
  test("name the environments of a new project", () => {
    expect(environmentNames(on(["Test", "Live"]))).toEqual(["Test", "Live"]);
    for (const state of [off, on(), on({}), on([]), on([3]), { enabled: true, value: "[" }])
      expect(environmentNames(state)).toEqual(["Development", "Production"]);
  });

  test("name every integration by default, and else those that are there", () => {
    for (const level of ["organisation", "project", "environment"] as const)
      for (const { name } of integrationsOf(level))
        expect(hasIntegration(name, DEFAULTS.integration_data), name).toBe(true);
    expect(hasIntegration("slack", on({ datadog: {} }))).toBe(false);
    expect(hasIntegration("toString", on({ datadog: {} }))).toBe(false);
  });
});

describe("signing in elsewhere", () => {
  const configured = [
    { name: "github", label: "GitHub", client_id: "server", url: "https://github.com/x" },
    { name: "google", label: "Google", client_id: "server" },
    { name: "oidc", label: "Single sign-on", client_id: "server", url: "/oidc" },
  ];
  const names = (flags: typeof DEFAULTS) => providersBy(flags, configured).map(({ name }) => name);

  test("is as the server is set up, as long as a flag is on", () => {
    expect(providersBy(DEFAULTS, configured)).toEqual(configured);
    expect(names(but("oauth_google", off))).toEqual(["github", "oidc"]);
    expect(names(but("oauth_github", off))).toEqual(["google", "oidc"]);
    expect(providersBy(DEFAULTS, [])).toEqual([]);
  });

  test("is as the flag's value says, where it has one", () => {
    const flags = {
      ...but("oauth_google", on({ clientId: "flag" })),
      oauth_github: on({ url: "https://github.com/login/oauth/authorize?client_id=flag" }),
    };
    const [github, google] = providersBy(flags, []);
    expect(github?.url).toContain("client_id=flag");
    expect(google?.client_id).toBe("flag");
    const evil = but("oauth_github", on({ url: "javascript:alert(1)" }));
    expect(providersBy(evil, [])).toEqual([]);
  });
});

describe("operators", () => {
  const condition = (operator: string, value = "") => ({
    ...emptyCondition(),
    operator: operator as "EQUAL",
    value,
  });

  test("are all there by default", () => {
    const values = choicesOf(DEFAULTS.segment_operators).map(({ value }) => value);
    for (const { value } of OPERATORS) expect(values).toContain(value);
    expect(values.filter((value) => value.endsWith(":semver"))).toHaveLength(4);
    expect(choicesOf(off)).toEqual(choicesOf(DEFAULTS.segment_operators));
  });

  test("are those of the value, in its order and under its names", () => {
    const state = on([
      {
        value: "IN",
        label: "In",
        warning: 'Old SDKs <a href="x">do not know</a> it',
        valuePlaceholder: "a,b",
      },
      { value: "EQUAL", label: "=" },
      { value: "TELEPATHY", label: "?" },
      null,
    ]);
    expect(choicesOf(state).map(({ label }) => label)).toEqual(["In", "="]);
    expect(choicesOf(state)[0]?.warning).toBe("Old SDKs do not know it");
  });

  test("that compare versions are a choice of their own, and the same operator to the API", () => {
    expect(chosen(condition("GREATER_THAN", "1.2.0:semver"))).toBe("GREATER_THAN:semver");
    expect(chosen(condition("GREATER_THAN", "1"))).toBe("GREATER_THAN");
    expect(chosen(condition("EQUAL", "1.2.0:semver"))).toBe("EQUAL");
    expect(withChoice(condition("EQUAL", "1.2.0"), "GREATER_THAN:semver")).toMatchObject({
      operator: "GREATER_THAN",
      value: "1.2.0:semver",
    });
    expect(withChoice(condition("GREATER_THAN", "1.2.0:semver"), "IS_SET").value).toBe("");
  });

  test("that a condition has already stay with it", () => {
    const choices = choicesOf(on([{ value: "EQUAL", label: "=" }]));
    const values = offered(choices, condition("LESS_THAN", "2:semver")).map(({ value }) => value);
    expect(values).toEqual(["EQUAL", "LESS_THAN:semver"]);
    expect(offered(choices, condition("EQUAL"))).toBe(choices);
  });
});
