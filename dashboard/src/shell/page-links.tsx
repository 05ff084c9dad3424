/** Links to pages at the side, in groups that have a name. */
import { NavLink, Stack, Text } from "@mantine/core";
import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";

export function PageGroup({ name, children }: { name?: string; children: ReactNode }) {
  return (
    <Stack gap={2}>
      {name && (
        <Text size="xs" fw={700} c="dimmed" px="sm" pb={4}>
          {name}
        </Text>
      )}
      {children}
    </Stack>
  );
}

interface PageLinkProps {
  link: Pick<LinkProps, "to" | "params" | "activeOptions">;
  name: string;
  icon: ReactNode;
  aside?: ReactNode;
  onFollow: () => void;
}

export function PageLink({ link, name, icon, aside, onFollow }: PageLinkProps) {
  return (
    <Link {...link} onClick={onFollow} style={{ textDecoration: "none", color: "inherit" }}>
      {({ isActive }) => (
        <NavLink
          component="span"
          label={name}
          leftSection={icon}
          active={isActive}
          rightSection={aside}
          style={{ borderRadius: "var(--mantine-radius-md)" }}
        />
      )}
    </Link>
  );
}
