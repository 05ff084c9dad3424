/** A titled part of a page, on a sheet of its own. */
import { Box, Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface SectionProps {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  danger?: boolean;
  children?: ReactNode;
}

export function Section({ title, description, actions, danger, children }: SectionProps) {
  return (
    <Paper
      p="lg"
      component="section"
      style={danger ? { borderColor: "var(--mantine-color-red-outline)" } : undefined}
    >
      <Stack gap="md">
        <Group justify="space-between" align="flex-start" gap="sm">
          <Box style={{ flex: "1 1 14rem" }}>
            <Title order={2}>{title}</Title>
            {description && (
              <Text component="div" size="sm" c="dimmed" mt={2}>
                {description}
              </Text>
            )}
          </Box>
          {actions}
        </Group>
        {children}
      </Stack>
    </Paper>
  );
}
