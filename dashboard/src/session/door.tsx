/** The frame of the pages for those who are not signed in. */
import { Anchor, Box, Center, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { DoorBars } from "~/own-flags/bars";
import { Logo } from "~/shell/logo";
import { ThemeToggle } from "~/shell/theme-toggle";

interface DoorProps {
  title: string;
  description?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  width?: number;
}

export function Door({ title, description, children, footer, width = 400 }: DoorProps) {
  useDocumentTitle(`${title} · Burgee`);
  return (
    <Box mih="100dvh" component="main">
      <Group justify="flex-end" p="md">
        <ThemeToggle />
      </Group>
      <Center px="md" pb="xl" pt={{ base: "md", sm: 48 }}>
        <Stack w="100%" maw={width} gap="xl">
          <Center>
            <Logo size={36} />
          </Center>
          <DoorBars />
          <Paper p={{ base: "lg", sm: "xl" }} shadow="sm">
            <Stack gap="lg">
              <Box>
                <Title order={1} fz="h2">
                  {title}
                </Title>
                {description && (
                  <Text size="sm" c="dimmed" mt={4} component="div">
                    {description}
                  </Text>
                )}
              </Box>
              {children}
            </Stack>
          </Paper>
          {footer && (
            <Text size="sm" ta="center" component="div">
              {footer}
            </Text>
          )}
        </Stack>
      </Center>
    </Box>
  );
}

export function DoorLink({ children, ...link }: LinkProps & { children: ReactNode }) {
  return (
    <Link {...link} style={{ textDecoration: "none" }}>
      <Anchor component="span" fw={600} inherit>
        {children as ReactNode}
      </Anchor>
    </Link>
  );
}
