/** What can be done with a row: change it, delete it. */
import { Group } from "@mantine/core";
import { IconPencil, IconTrash } from "@tabler/icons-react";
import { IconButton } from "./icon-button";

interface Action {
  label: string;
  act: () => void;
}

export function RowActions({ edit, remove }: { edit: Action; remove: Action }) {
  return (
    <Group gap={4} wrap="nowrap" justify="flex-end">
      <IconButton aria-label={edit.label} onClick={edit.act}>
        <IconPencil size={16} />
      </IconButton>
      <IconButton aria-label={remove.label} onClick={remove.act}>
        <IconTrash size={16} />
      </IconButton>
    </Group>
  );
}
