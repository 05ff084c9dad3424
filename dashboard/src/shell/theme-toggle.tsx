import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconMoon, IconSun } from "@tabler/icons-react";
import { useTrait } from "~/own-flags/client";

export function useThemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const [, tell] = useTrait("dark_mode");
  const toggle = () => {
    const next = scheme === "dark" ? "light" : "dark";
    setColorScheme(next);
    void tell(next === "dark" ? "True" : "False");
  };
  return { scheme, toggle };
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
