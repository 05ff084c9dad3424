/** What surrounds every page of somebody who is signed in. */
import { ActionIcon, AppShell, Box, Burger, Group, Kbd, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { useDisclosure, useHotkeys, useReducedMotion } from "@mantine/hooks";
import { spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { Bars } from "~/own-flags/bars";
import { Logo } from "./logo";
import { Navigation } from "./navigation";
import { useAddress } from "./place";
import { Switcher } from "./switcher";
import { ThemeToggle } from "./theme-toggle";
import { UserMenu } from "./user-menu";

const Palette = lazy(() => import("./palette").then((module) => ({ default: module.Palette })));

/** Whoever works on flags is in an environment. */
const OrganisationNavigation = lazy(() =>
  import("./organisation-navigation").then((module) => ({ default: module.OrganisationNavigation })),
);

function SearchButton({ onOpen }: { onOpen: () => void }) {
  return (
    <>
      <UnstyledButton
        visibleFrom="md"
        onClick={onOpen}
        px="sm"
        py={6}
        style={{ border: "1px solid var(--burgee-line)", borderRadius: "var(--mantine-radius-md)" }}
      >
        <Group gap={8} wrap="nowrap">
          <IconSearch size={16} aria-hidden />
          <Text size="sm" c="dimmed" mr="xl">
            Go to …
          </Text>
          <Kbd size="xs">Ctrl K</Kbd>
        </Group>
      </UnstyledButton>
      <Tooltip label="Go to …">
        <ActionIcon hiddenFrom="md" size="lg" onClick={onOpen} aria-label="Go to …">
          <IconSearch size={18} />
        </ActionIcon>
      </Tooltip>
    </>
  );
}

/** The command palette, which is loaded when it is asked for the first time, and opens as soon as it is there. */
function usePalette() {
  const [isWanted, setWanted] = useState(false);
  const want = () => setWanted(true);
  useHotkeys([
    ["mod+K", want],
    ["/", want],
  ]);
  return { isWanted, open: isWanted ? spotlight.open : want };
}

export function Shell({ children }: { children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure();
  const { organisation, project, environment } = useAddress();
  const isStill = useReducedMotion();
  const palette = usePalette();
  const isInEnvironment = project !== undefined && environment !== undefined;
  const hasPages = isInEnvironment || organisation !== undefined;
  return (
    <AppShell
      header={{ height: { base: 96, sm: 56 } }}
      navbar={{ width: 248, breakpoint: "sm", collapsed: { mobile: !opened, desktop: !hasPages } }}
      padding={{ base: "md", sm: "xl" }}
      transitionDuration={isStill ? 0 : 200}
    >
      <a href="#page" className="skip-link">
        To the page
      </a>
      <AppShell.Header px="md">
        <Group h={56} justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="sm" wrap="nowrap" style={{ minWidth: 0 }}>
            {hasPages && (
              <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Pages" />
            )}
            <Link
              to="/"
              style={{ color: "inherit", textDecoration: "none" }}
              aria-label="Burgee, to the start"
            >
              <Logo />
            </Link>
            <Box visibleFrom="sm" style={{ minWidth: 0 }}>
              <Switcher />
            </Box>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <SearchButton onOpen={palette.open} />
            <ThemeToggle />
            <UserMenu />
          </Group>
        </Group>
        <Box hiddenFrom="sm" mx={-8}>
          <Switcher />
        </Box>
      </AppShell.Header>
      <AppShell.Navbar p="sm" style={{ overflowY: "auto" }}>
        {isInEnvironment && (
          <Navigation project={String(project)} environment={environment} onFollow={close} />
        )}
        {organisation !== undefined && (
          <Suspense>
            <OrganisationNavigation organisation={organisation} onFollow={close} />
          </Suspense>
        )}
      </AppShell.Navbar>
      <AppShell.Main id="page" tabIndex={-1} style={{ outline: "none" }}>
        <Bars />
        {children}
      </AppShell.Main>
      <Suspense>{palette.isWanted && <Palette />}</Suspense>
    </AppShell>
  );
}
