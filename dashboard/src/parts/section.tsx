/** A part of a page, on a sheet of its own; without a title where the page has already said what it is. */
import { Box, Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface SectionProps {
  title?: string;
  description?: ReactNode;
  actions?: ReactNode;
  danger?: boolean;
  children?: ReactNode;
}

export function Section({ title, description, actions, danger, children }: SectionProps) {
  return (
    <Paper
      p={{ base: "md", sm: "lg" }}
      component="section"
      className="sheet"
      style={danger ? { borderColor: "var(--mantine-color-red-outline)" } : undefined}
    >
      <Stack gap="md">
        {title && (
          <Group justify="space-between" align="flex-start" gap="sm">
            <Box style={{ flex: description ? "1 1 14rem" : 1, minWidth: 0 }}>
              <Title order={2}>{title}</Title>
              {description && (
                <Text component="div" size="sm" c="dimmed" mt={2}>
                  {description}
                </Text>
              )}
            </Box>
            {actions}
          </Group>
        )}
        {children}
      </Stack>
    </Paper>
  );
}
