/** Where the user is signed in. */
import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { useAct } from "~/api/act";
import { api, http } from "~/api/client";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { Time } from "~/parts/time";

const PATH = "/api/v1/auth/sessions/";

/** The browser and the system, out of what a browser says of itself. */
export function browserOf(agent: string | null): string {
  if (!agent) return "A program";
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent)?.[1];
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(agent)?.[1];
  if (!browser) return agent.slice(0, 60);
  const name = { Edg: "Edge", OPR: "Opera" }[browser] ?? browser;
  return system ? `${name} on ${system.replace(" OS X", "")}` : name;
}

export function Sessions() {
  const query = api.useQuery("get", PATH);
  const end = useAct(
    (session_id: string) =>
      http.DELETE("/api/v1/auth/sessions/{session_id}/", { params: { path: { session_id } } }),
    {
      changes: [PATH],
      done: "That session is over.",
    },
  );
  return (
    <Section title="Where you are signed in">
      <Loaded query={query} rows={1}>
        {(sessions) => (
          <Stack gap="sm">
            {sessions.map((session) => (
              <Group key={session.id} justify="space-between">
                <div>
                  <Group gap="xs">
                    <Text size="sm" fw={600}>
                      {browserOf(session.user_agent)}
                    </Text>
                    {session.is_current && <Badge color="teal">here</Badge>}
                  </Group>
                  <Text size="xs" c="dimmed">
                    signed in <Time at={session.created_at} />
                    {session.last_used_at && (
                      <>
                        , seen <Time at={session.last_used_at} />
                      </>
                    )}
                  </Text>
                </div>
                {!session.is_current && (
                  <Button
                    size="xs"
                    variant="default"
                    loading={end.isPending}
                    onClick={() => end.mutate(session.id)}
                  >
                    Sign out there
                  </Button>
                )}
              </Group>
            ))}
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}
