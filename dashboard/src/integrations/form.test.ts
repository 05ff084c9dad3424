import { describe, expect, test } from "vitest";
import { toSend } from "./form";
import type { Field } from "./table";

const secret: Field = { name: "api_key", label: "API key", kind: "secret", required: true };
const address: Field = { name: "base_url", label: "Address", kind: "address" };

describe("what an integration's form sends", () => {
  test("leaves a secret alone that nobody typed, and asks for one where there is none", () => {
    expect(toSend(secret, "", true)).toBeUndefined();
    expect(toSend(secret, "", false)).toBe("");
    expect(toSend(secret, " fresh ", true)).toBe("fresh");
  });

  test("empties a secret that is to be removed", () => {
    expect(toSend(secret, null, true)).toBe("");
  });

  test("takes an empty address for none", () => {
    expect(toSend(address, "", true)).toBeNull();
    expect(toSend(address, "https://example.com", true)).toBe("https://example.com");
  });
});
