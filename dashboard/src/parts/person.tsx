/** People, as they are shown in lists. */
import { Avatar, Box, Group, Text } from "@mantine/core";

export interface PersonLike {
  email: string;
  first_name?: string;
  last_name?: string;
}

export function nameOf(person: PersonLike): string {
  return [person.first_name, person.last_name].filter(Boolean).join(" ") || person.email;
}

export function Person({ person }: { person: PersonLike }) {
  const name = nameOf(person);
  return (
    <Group gap="sm" wrap="nowrap">
      <Avatar size={30} radius="xl" name={name} aria-hidden />
      <Box style={{ minWidth: 0 }}>
        <Text size="sm" fw={600} truncate>
          {name}
        </Text>
        {name !== person.email && (
          <Text size="xs" c="dimmed" truncate>
            {person.email}
          </Text>
        )}
      </Box>
    </Group>
  );
}
