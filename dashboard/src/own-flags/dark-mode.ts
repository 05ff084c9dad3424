/** The theme as the flag `dark_mode` has it, for whoever chose none in this browser. */
import { useMantineColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import { THEME_KEY } from "~/theme";
import { useIsOn } from "./client";

export function useDarkMode() {
  const isDark = useIsOn("dark_mode");
  const wasDark = useRef(false);
  const { setColorScheme, clearColorScheme } = useMantineColorScheme();
  useEffect(() => {
    if (localStorage.getItem(THEME_KEY) === null) {
      if (isDark) {
        setColorScheme("dark");
        // It was told, and not chosen.
        localStorage.removeItem(THEME_KEY);
      } else if (wasDark.current) clearColorScheme();
    }
    wasDark.current = isDark;
  }, [isDark, setColorScheme, clearColorScheme]);
}
