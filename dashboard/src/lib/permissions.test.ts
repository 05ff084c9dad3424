import { expect, test } from "vitest";
import { ADMIN, may } from "./permissions";

const none = { permissions: [], admin: false, tag_based_permissions: [] };

test("nothing is offered before the permissions are known", () => {
  expect(may(undefined)("UPDATE_FEATURE_STATE")).toBe(false);
});

test("an administrator may everything, others what they were given", () => {
  expect(may({ ...none, admin: true })(ADMIN)).toBe(true);
  const member = may({ ...none, permissions: ["VIEW_ENVIRONMENT"] });
  expect(member("VIEW_ENVIRONMENT")).toBe(true);
  expect(member(ADMIN)).toBe(false);
});

test("a permission limited by tags holds for features with one of them", () => {
  const member = may({
    ...none,
    tag_based_permissions: [{ permissions: ["UPDATE_FEATURE_STATE"], tags: [3, 4] }],
  });
  expect(member("UPDATE_FEATURE_STATE", [4, 9])).toBe(true);
  expect(member("UPDATE_FEATURE_STATE", [9])).toBe(false);
  expect(member("UPDATE_FEATURE_STATE")).toBe(false);
});
