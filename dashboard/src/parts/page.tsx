/** The frame of a page: its title, what can be done, its content. */
import { Box, Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";

interface PageProps {
  title: string;
  heading?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  width?: number | string;
}

export function Page({ title, heading, description, actions, children, width = 1280 }: PageProps) {
  useDocumentTitle(`${title} · Burgee`);
  return (
    <Stack gap="lg" maw={width} mx="auto" w="100%">
      <Group justify="space-between" align="flex-start" gap="sm">
        <Box style={{ minWidth: 0, flex: "1 1 16rem" }}>
          <Title order={1} style={{ overflowWrap: "anywhere" }}>
            {heading ?? title}
          </Title>
          {description && (
            <Text component="div" c="dimmed" size="sm" mt={4}>
              {description}
            </Text>
          )}
        </Box>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
