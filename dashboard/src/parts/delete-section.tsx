/** The last part of a page of settings: where the whole thing is deleted. */
import type { ReactNode } from "react";
import { DeleteButton } from "./confirm";
import { Section } from "./section";

interface DeleteSectionProps {
  /** What it is: `the project`. */
  what: string;
  /** What goes with it, in a few words. */
  about: string;
  /** What has to be typed. */
  name: string;
  onConfirm: () => Promise<unknown>;
  /** What is read before it is confirmed. */
  children: ReactNode;
}

export function DeleteSection({ what, about, name, onConfirm, children }: DeleteSectionProps) {
  const button = (
    <DeleteButton title={`Delete ${name}`} name={name} onConfirm={onConfirm}>
      {children}
    </DeleteButton>
  );
  return <Section title={`Delete ${what}`} description={about} actions={button} danger />;
}
