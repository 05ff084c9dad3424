import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconMoon, IconSun } from "@tabler/icons-react";

export function useThemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  return { scheme, toggle: () => setColorScheme(scheme === "dark" ? "light" : "dark") };
}

export function ThemeToggle() {
  const { scheme, toggle } = useThemeToggle();
  const label = scheme === "dark" ? "Light theme" : "Dark theme";
  return (
    <Tooltip label={label}>
      <ActionIcon size="lg" onClick={toggle} aria-label={label}>
        {scheme === "dark" ? <IconSun size={18} /> : <IconMoon size={18} />}
      </ActionIcon>
    </Tooltip>
  );
}
