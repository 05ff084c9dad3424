/** How everything looks: colours, corners, the defaults of components. */
import {
  type ActionIconProps,
  type AvatarProps,
  type BadgeProps,
  type ButtonProps,
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type ModalProps,
  type MultiSelectProps,
  type NotificationProps,
  type PaperProps,
  type SegmentedControlProps,
  type TableProps,
  type TooltipProps,
  type VariantColorsResolver,
} from "@mantine/core";

/** The blue of the sea a burgee flies over. */
const harbour: MantineColorsTuple = [
  "#eef5fc",
  "#d9e7f5",
  "#aecdec",
  "#7fb1e4",
  "#599add",
  "#418bd9",
  "#2f79c4",
  "#1f68b0",
  "#14569a",
  "#0b447f",
];

/** A breath of a colour: the ground of what is light, and of what is chosen. */
function breath(name: string, onLight: number, onDark: number) {
  return {
    light: `color-mix(in srgb, var(--mantine-color-${name}-6) ${onLight}%, white)`,
    dark: `color-mix(in srgb, var(--mantine-color-${name}-5) ${onDark}%, var(--mantine-color-dark-7))`,
  };
}

/** What is chosen in the navigation, in lists and in tables has the same ground as what is light. */
export const variables: CSSVariablesResolver = (theme) => {
  const ground = breath(theme.primaryColor, 13, 18);
  const hover = breath(theme.primaryColor, 20, 26);
  const of = (scheme: "light" | "dark") => ({
    [`--mantine-color-${theme.primaryColor}-light`]: ground[scheme],
    [`--mantine-color-${theme.primaryColor}-light-hover`]: hover[scheme],
  });
  return { variables: {}, light: of("light"), dark: of("dark") };
};

/**
 * Light and outlined things in colours that everybody can read: darker than usual on light ground, lighter on dark. Grounds
 * are a breath of their colour, so that what is important stays the strongest thing on a page in both themes.
 */
const readable: VariantColorsResolver = (input) => {
  const colours = defaultVariantColorsResolver(input);
  const { variant, theme } = input;
  const name = input.color ?? theme.primaryColor;
  if (variant === "filled" && name === "red") {
    return {
      ...colours,
      background: "var(--mantine-color-red-9)",
      hover: "var(--mantine-color-red-9)",
      color: "white",
    };
  }
  if (!(name in theme.colors) || (variant !== "light" && variant !== "outline")) return colours;
  const onLight = `color-mix(in srgb, var(--mantine-color-${name}-9) 70%, black)`;
  const color = `light-dark(${onLight}, var(--mantine-color-${name}-2))`;
  if (variant === "outline") return { ...colours, color };
  const ground = breath(name, 13, 18);
  const hover = breath(name, 20, 26);
  return {
    ...colours,
    background: `light-dark(${ground.light}, ${ground.dark})`,
    hover: `light-dark(${hover.light}, ${hover.dark})`,
    color,
  };
};

export const theme = createTheme({
  variantColorResolver: readable,
  colors: { harbour },
  primaryColor: "harbour",
  primaryShade: { light: 7, dark: 6 },
  defaultRadius: "md",
  fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'JetBrains Mono', Menlo, Consolas, monospace",
  headings: {
    fontWeight: "650",
    sizes: { h1: { fontSize: "1.5rem" }, h2: { fontSize: "1.125rem" }, h3: { fontSize: "1rem" } },
  },
  cursorType: "pointer",
  respectReducedMotion: true,
  // By name and not by `extend`, which would load every component named here with the first page.
  components: {
    Avatar: { defaultProps: { variant: "light", color: "harbour" } satisfies Partial<AvatarProps> },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } satisfies Partial<ActionIconProps> },
    Badge: {
      defaultProps: {
        variant: "light",
        radius: "sm",
        tt: "none",
        fw: 600,
        style: { flexShrink: 0 },
      } satisfies Partial<BadgeProps>,
    },
    Button: { defaultProps: { size: "sm" } satisfies Partial<ButtonProps> },
    Modal: {
      defaultProps: {
        centered: true,
        closeButtonProps: { "aria-label": "Close" },
      } satisfies Partial<ModalProps>,
      styles: { title: { fontSize: "1.125rem", fontWeight: 650, lineHeight: 1.3 } },
    },
    // The first field of a dialog is focused; its choices must not cover the others before anybody asked.
    MultiSelect: { defaultProps: { openOnFocus: false } satisfies Partial<MultiSelectProps> },
    Notification: {
      defaultProps: { closeButtonProps: { "aria-label": "Close" } } satisfies Partial<NotificationProps>,
    },
    Paper: { defaultProps: { withBorder: true } satisfies Partial<PaperProps> },
    SegmentedControl: { defaultProps: { size: "xs" } satisfies Partial<SegmentedControlProps> },
    Table: {
      defaultProps: {
        verticalSpacing: "sm",
        horizontalSpacing: "md",
        highlightOnHoverColor: "light-dark(var(--mantine-color-gray-0), var(--mantine-color-dark-6))",
      } satisfies Partial<TableProps>,
    },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } satisfies Partial<TooltipProps> },
  },
});

export const THEME_KEY = "burgee-theme";
