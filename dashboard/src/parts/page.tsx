/** The frame of a page: the way back, its title, what can be done, its content. */
import { Anchor, type AnchorProps, Box, Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconArrowLeft } from "@tabler/icons-react";
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, ReactNode, Ref } from "react";

/** Every page begins at the same place, however wide its content is: nothing jumps from one to the next. */
export const FRAME = 1280;

/** Pages of fields: longer lines are hard to read. */
export const NARROW = 860;

interface PageProps {
  title: string;
  heading?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
  back?: ReactNode;
  children: ReactNode;
  width?: number;
  /** In the middle of the screen: for pages without navigation beside them. */
  centred?: boolean;
}

export function Page(props: PageProps) {
  const { title, heading, description, actions, back, children, width = FRAME, centred } = props;
  useDocumentTitle(`${title} · Burgee`);
  return (
    <Box maw={centred ? width : FRAME} mx="auto" w="100%">
      <Stack gap="lg" maw={width}>
        <Group justify="space-between" align="flex-start" gap="sm">
          <Box style={{ minWidth: 0, flex: "1 1 16rem" }}>
            {back}
            <Title order={1} style={{ overflowWrap: "anywhere" }}>
              {heading ?? title}
            </Title>
            {description && (
              <Text component="div" c="dimmed" size="sm" mt={4}>
                {description}
              </Text>
            )}
          </Box>
          {actions && <Group gap="xs">{actions}</Group>}
        </Group>
        {children}
      </Stack>
    </Box>
  );
}

type BackProps = AnchorProps & AnchorHTMLAttributes<HTMLAnchorElement> & { ref?: Ref<HTMLAnchorElement> };

/** The way back to the list that a page belongs to. */
export const Back = createLink(({ children, ...props }: BackProps) => (
  <Anchor
    size="sm"
    c="dimmed"
    display="inline-flex"
    mb={4}
    {...props}
    style={{ alignItems: "center", gap: 4 }}
  >
    <IconArrowLeft size={14} aria-hidden />
    {children}
  </Anchor>
));
