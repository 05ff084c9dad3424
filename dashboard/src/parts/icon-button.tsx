/** A button that is only an icon: its name is shown to those who point at it, and told to those who can't see it. */
import { ActionIcon, type ActionIconProps, Tooltip } from "@mantine/core";
import type { ButtonHTMLAttributes, Ref } from "react";

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, keyof ActionIconProps>;

interface IconButtonProps extends ActionIconProps, ButtonProps {
  "aria-label": string;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton(props: IconButtonProps) {
  return (
    <Tooltip label={props["aria-label"]}>
      <ActionIcon {...props} />
    </Tooltip>
  );
}
