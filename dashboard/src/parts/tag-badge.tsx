/** A tag in its own colour, readable in both themes. */
import { Badge, ColorSwatch } from "@mantine/core";
import type { Schema } from "~/api/client";

/** Colours are free text in the API; what no browser could paint is grey. */
export function paintable(colour: string | undefined): string {
  return colour && /^#[0-9a-f]{3,8}$/i.test(colour) ? colour : "#868e96";
}

export function TagBadge({ tag }: { tag: Pick<Schema<"TagView">, "label" | "color"> }) {
  return (
    <Badge
      variant="default"
      leftSection={<ColorSwatch color={paintable(tag.color)} size={9} withShadow={false} />}
      style={{ textTransform: "none" }}
    >
      {tag.label}
    </Badge>
  );
}
