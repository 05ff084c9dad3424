/** What a page shows while it has nothing to show: it loads, it is empty, it failed, it is not for this user. */
import { Alert, Button, Center, Code, Group, Skeleton, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { IconAlertTriangle, IconCompassOff, IconLock, IconRefresh, IconSearchOff } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { explain, statusOf } from "~/api/error";

export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <Stack gap="xs" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike
        <Skeleton key={row} height={44} radius="md" />
      ))}
    </Stack>
  );
}

interface MessageProps {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

function Message({ icon, title, children, action }: MessageProps) {
  return (
    <Center py={{ base: 40, sm: 56 }} px="md">
      <Stack align="center" gap="sm" maw={440}>
        <ThemeIcon size={52} radius="xl" variant="light">
          {icon}
        </ThemeIcon>
        <Title order={2} ta="center">
          {title}
        </Title>
        {children && (
          <Text component="div" c="dimmed" ta="center" size="sm">
            {children}
          </Text>
        )}
        {action}
      </Stack>
    </Center>
  );
}

export function Empty({ icon = <IconSearchOff />, ...rest }: MessageProps) {
  return <Message icon={icon} {...rest} />;
}

export function Failed({ error, retry }: { error: unknown; retry?: () => unknown }) {
  const status = statusOf(error);
  if (status === 403 && /two-factor/i.test(explain(error))) {
    return (
      <Message
        icon={<IconLock />}
        title="A second factor is needed"
        action={
          <Button component={Link} to="/account">
            Set it up in your account
          </Button>
        }
      >
        {explain(error)}
      </Message>
    );
  }
  if (status === 403) {
    return (
      <Message icon={<IconLock />} title="You may not see this">
        {explain(error)} An administrator can give you the permission.
      </Message>
    );
  }
  if (status === 404) return <NotFound />;
  return (
    <Alert color="red" icon={<IconAlertTriangle />} title="This could not be loaded" role="alert">
      <Group justify="space-between">
        <Text size="sm">{explain(error)}</Text>
        {retry && (
          <Button size="xs" variant="default" leftSection={<IconRefresh size={14} />} onClick={() => retry()}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
}

export function NotFound() {
  return (
    <Message
      icon={<IconCompassOff />}
      title="There is nothing here"
      action={
        <Button component={Link} to="/" variant="light">
          To the start
        </Button>
      }
    >
      It was deleted, or moved, or you may not see it.
    </Message>
  );
}

export function Crashed({ error, reset }: { error: unknown; reset?: () => void }) {
  const status = statusOf(error);
  if (status !== undefined) return <Failed error={error} retry={reset} />;
  return (
    <Message
      icon={<IconAlertTriangle />}
      title="This page broke"
      action={
        <Button variant="light" onClick={() => location.reload()}>
          Load it again
        </Button>
      }
    >
      It is a fault of the dashboard; nothing was changed. <Code>{explain(error)}</Code>
    </Message>
  );
}

interface LoadedProps<Data> {
  query: { data: Data | undefined; error: unknown; refetch?: () => unknown };
  rows?: number;
  children: (data: Data) => ReactNode;
}

/** The answer of a query, or what there is in its place. */
export function Loaded<Data>({ query, rows, children }: LoadedProps<Data>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <Failed error={query.error} retry={query.refetch} />;
  return <Loading rows={rows} />;
}
