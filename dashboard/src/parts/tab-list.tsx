/** Tabs on one line: where it is too short for all of them, the one that is chosen is pushed into sight. */
import { Tabs, type TabsListProps } from "@mantine/core";
import { useViewportSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";

export function TabList({ chosen, ...rest }: TabsListProps & { chosen: string }) {
  const ref = useRef<HTMLDivElement>(null);
  const { width } = useViewportSize();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another tab, or another width, is what asks for it
  useEffect(() => {
    const list = ref.current;
    const tab = list?.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]');
    if (list && tab) list.scrollLeft = tab.offsetLeft - (list.clientWidth - tab.offsetWidth) / 2;
  }, [chosen, width]);
  return <Tabs.List ref={ref} {...rest} />;
}
