/** The permissions of one level, to be ticked; some can be limited to features with certain tags. */
import { Checkbox, MultiSelect, Stack } from "@mantine/core";
import type { Schema } from "~/api/client";
import type { Tag } from "~/projects/tags";

export interface Given {
  admin: boolean;
  permissions: Schema<"TaggedPermission">[];
}

interface ListProps {
  all: Schema<"PermissionView">[];
  given: Given | undefined;
  onChange: (given: Given) => void;
  disabled: boolean;
  /** What it is called to be allowed everything here, where there is such a thing. */
  admin?: string;
  /** The tags that permissions can be limited to, where they can. */
  tags?: Tag[];
}

/** What a permission allows, without the words that all descriptions begin with. */
function inWords(description: string): string {
  const words = description
    .replace(/^(Allows the user to|Ability to|Permission to)\s+/, "")
    .replace(/ (in|for) the given (project|environment)/, "")
    .replace(/\.$/, "");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

interface OneProps {
  permission: Schema<"PermissionView">;
  given: Schema<"TaggedPermission"> | undefined;
  isAdmin: boolean;
  disabled: boolean;
  tags: Tag[];
  onChange: (given: Schema<"TaggedPermission"> | undefined) => void;
}

function OnePermission({ permission, given, isAdmin, disabled, tags, onChange }: OneProps) {
  const label = inWords(permission.description);
  const limits = permission.supports_tag && given && !isAdmin && tags.length > 0;
  return (
    <Stack gap={6}>
      <Checkbox
        label={label}
        checked={isAdmin || given !== undefined}
        disabled={disabled || isAdmin}
        onChange={(event) =>
          onChange(event.currentTarget.checked ? { permission_key: permission.key, tags: [] } : undefined)
        }
      />
      {limits && (
        <MultiSelect
          aria-label={`${label}: only features with one of these tags`}
          placeholder={given.tags.length === 0 ? "all features; choose tags to limit it" : undefined}
          data={tags.map((tag) => ({ value: String(tag.id), label: tag.label }))}
          value={given.tags.map(String)}
          onChange={(values) => onChange({ ...given, tags: values.map(Number) })}
          disabled={disabled}
          size="xs"
          ml={32}
        />
      )}
    </Stack>
  );
}

const NO_TAGS: Tag[] = [];

export function PermissionList({ all, given, onChange, disabled, admin, tags = NO_TAGS }: ListProps) {
  const permissions = given?.permissions ?? [];
  const isAdmin = given?.admin ?? false;
  const set = (key: string, one: Schema<"TaggedPermission"> | undefined) =>
    onChange({
      admin: isAdmin,
      permissions: [...permissions.filter((other) => other.permission_key !== key), ...(one ? [one] : [])],
    });
  return (
    <Stack gap="xs">
      {admin && (
        <Checkbox
          label={admin}
          checked={isAdmin}
          disabled={disabled}
          onChange={(event) => onChange({ admin: event.currentTarget.checked, permissions })}
        />
      )}
      {all.map((permission) => (
        <OnePermission
          key={permission.key}
          permission={permission}
          given={permissions.find((one) => one.permission_key === permission.key)}
          isAdmin={isAdmin}
          disabled={disabled}
          tags={tags}
          onChange={(one) => set(permission.key, one)}
        />
      ))}
    </Stack>
  );
}
