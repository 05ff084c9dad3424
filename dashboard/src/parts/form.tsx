/** A form whose fields the browser checks; Enter sends it, and the page stays. */
import { Stack, type StackProps } from "@mantine/core";
import type { ReactNode } from "react";

interface FormProps {
  onSubmit: () => unknown;
  gap?: StackProps["gap"];
  children: ReactNode;
}

export function Form({ onSubmit, gap, children }: FormProps) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <Stack gap={gap}>{children}</Stack>
    </form>
  );
}
