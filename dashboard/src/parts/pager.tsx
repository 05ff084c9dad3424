/** Turning pages of a list whose length the API tells. */
import { Group, Pagination, Text } from "@mantine/core";

interface PagerProps {
  page: number;
  size: number;
  count: number;
  onChange: (page: number) => void;
}

export function Pager({ page, size, count, onChange }: PagerProps) {
  const pages = Math.max(1, Math.ceil(count / size));
  if (pages === 1) return null;
  const first = (page - 1) * size + 1;
  return (
    <Group justify="space-between" gap="sm">
      <Text size="sm" c="dimmed">
        {first}–{Math.min(page * size, count)} of {count}
      </Text>
      <Pagination
        total={pages}
        value={page}
        onChange={onChange}
        size="sm"
        getControlProps={(control) => ({ "aria-label": `${control} page` })}
        getItemProps={(item) => ({ "aria-label": `Page ${item}` })}
      />
    </Group>
  );
}
