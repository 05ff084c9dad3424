/** Search and filters of the list of features. */
import { Button, Checkbox, Group, Indicator, MultiSelect, Popover, Select, Stack } from "@mantine/core";
import { IconArrowsSort, IconFilter } from "@tabler/icons-react";
import { useMembers } from "~/organisation/members";
import { nameOf } from "~/parts/person";
import { SearchInput } from "~/parts/search-input";
import { useTags } from "~/projects/tags";
import { usePlace } from "~/shell/place";
import { countFilters, type Filters, STAGES } from "./filters";

interface FilterBarProps {
  filters: Filters;
  onChange: (change: Partial<Filters>) => void;
}

const numbers = (values: string[]) => (values.length > 0 ? values.map(Number) : undefined);

function MoreFilters({ filters, onChange }: FilterBarProps) {
  const { project } = usePlace();
  const tags = useTags(project.id).data?.results ?? [];
  const members = useMembers(project.organisation).data ?? [];
  const inside = { withinPortal: false };
  return (
    <Stack gap="sm" w={{ base: 260, sm: 300 }}>
      <MultiSelect
        label="Tags"
        placeholder={filters.tags ? undefined : "any"}
        data={tags.map((tag) => ({ value: String(tag.id), label: tag.label }))}
        value={(filters.tags ?? []).map(String)}
        onChange={(values) => onChange({ tags: numbers(values) })}
        comboboxProps={inside}
        searchable
        clearable
      />
      <Select
        label="State"
        placeholder="any"
        data={[
          { value: "on", label: "On" },
          { value: "off", label: "Off" },
        ]}
        value={filters.state ?? null}
        onChange={(value) => onChange({ state: (value ?? undefined) as Filters["state"] })}
        comboboxProps={inside}
        clearable
      />
      <Select
        label="Type"
        placeholder="any"
        data={[
          { value: "STANDARD", label: "One value" },
          { value: "MULTIVARIATE", label: "Several variations" },
        ]}
        value={filters.type ?? null}
        onChange={(value) => onChange({ type: (value ?? undefined) as Filters["type"] })}
        comboboxProps={inside}
        clearable
      />
      <MultiSelect
        label="Owners"
        placeholder={filters.owners ? undefined : "anybody"}
        data={members.map((member) => ({ value: String(member.id), label: nameOf(member) }))}
        value={(filters.owners ?? []).map(String)}
        onChange={(values) => onChange({ owners: numbers(values) })}
        comboboxProps={inside}
        searchable
        clearable
      />
      <Select
        label="Staleness"
        placeholder="any"
        data={STAGES}
        value={filters.stage ?? null}
        onChange={(value) => onChange({ stage: value ?? undefined })}
        comboboxProps={inside}
        clearable
      />
      <Checkbox
        label="Archived ones"
        checked={filters.archived ?? false}
        onChange={(event) => onChange({ archived: event.currentTarget.checked || undefined })}
      />
    </Stack>
  );
}

const NONE: Filters = {
  tags: undefined,
  state: undefined,
  type: undefined,
  owners: undefined,
  stage: undefined,
  archived: undefined,
};

export function FilterBar({ filters, onChange }: FilterBarProps) {
  const count = countFilters(filters);
  return (
    <Group gap="xs">
      <SearchInput
        placeholder="Search features"
        value={filters.search ?? ""}
        onSearch={(search) => onChange({ search: search || undefined })}
        style={{ flex: "1 1 14rem", maxWidth: 420 }}
      />
      <Indicator label={count} size={18} disabled={count === 0}>
        <Popover position="bottom-end" trapFocus>
          <Popover.Target>
            <Button variant="default" leftSection={<IconFilter size={16} />}>
              Filter
            </Button>
          </Popover.Target>
          <Popover.Dropdown>
            <MoreFilters filters={filters} onChange={onChange} />
          </Popover.Dropdown>
        </Popover>
      </Indicator>
      <Select
        aria-label="Sort by"
        leftSection={<IconArrowsSort size={16} />}
        w={170}
        data={[
          { value: "newest", label: "Newest first" },
          { value: "oldest", label: "Oldest first" },
          { value: "name", label: "By name" },
        ]}
        value={filters.sort ?? "newest"}
        onChange={(value) => onChange({ sort: value === "newest" ? undefined : (value as Filters["sort"]) })}
        allowDeselect={false}
      />
      {count > 0 && (
        <Button variant="subtle" onClick={() => onChange(NONE)}>
          Clear
        </Button>
      )}
    </Group>
  );
}
