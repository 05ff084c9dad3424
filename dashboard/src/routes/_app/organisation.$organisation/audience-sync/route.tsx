import { Group, Text } from "@mantine/core";
import { createFileRoute, Link, Outlet, useRouterState } from "@tanstack/react-router";
import { PAGES } from "~/audience-sync/pages";
import { Page } from "~/parts/page";

export const Route = createFileRoute("/_app/organisation/$organisation/audience-sync")({
  component: AudienceSync,
});

function AudienceSync() {
  const { organisation } = Route.useParams();
  const part = useRouterState({ select: (state) => state.location.pathname.split("/")[4] });
  return (
    <Page
      title="Audience sync"
      description="Rows of your databases and files, kept in step with Flagsmith, LaunchDarkly and list segments"
    >
      <Group component="nav" aria-label="Audience sync" gap={4}>
        {PAGES.map(({ name, to, parts }) => {
          const isHere = parts.some((one) => one === part);
          return (
            <Link
              key={name}
              to={to}
              params={{ organisation, kind: parts[0] ?? "" }}
              aria-current={isHere ? "page" : undefined}
              style={{ textDecoration: "none", color: "inherit" }}
            >
              <Text
                span
                display="block"
                px="sm"
                py={5}
                size="sm"
                fw={isHere ? 650 : 500}
                bg={isHere ? "var(--mantine-color-harbour-light)" : undefined}
                style={{ borderRadius: "var(--mantine-radius-md)" }}
              >
                {name}
              </Text>
            </Link>
          );
        })}
      </Group>
      <Outlet />
    </Page>
  );
}
