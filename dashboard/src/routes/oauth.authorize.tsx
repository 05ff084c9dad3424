import { Button, List, Stack, Text } from "@mantine/core";
import { createFileRoute, redirect } from "@tanstack/react-router";
import { useAct } from "~/api/act";
import { api, http } from "~/api/client";
import { isSignedIn } from "~/api/session";
import { Loaded } from "~/parts/states";
import { Door } from "~/session/door";
import { Refusal } from "~/session/refusal";

interface Asked {
  client_id: string;
  redirect_uri: string;
  response_type: string;
  code_challenge: string;
  code_challenge_method: string;
  scope?: string;
  state?: string;
}

const text = (value: unknown) => (value === undefined ? "" : String(value));
const optional = (value: unknown) => (value === undefined ? undefined : String(value));

export const Route = createFileRoute("/oauth/authorize")({
  validateSearch: (search: Record<string, unknown>): Asked => ({
    client_id: text(search.client_id),
    redirect_uri: text(search.redirect_uri),
    response_type: text(search.response_type),
    code_challenge: text(search.code_challenge),
    code_challenge_method: text(search.code_challenge_method),
    scope: optional(search.scope),
    state: optional(search.state),
  }),
  beforeLoad: ({ location }) => {
    if (!isSignedIn()) throw redirect({ to: "/login", search: { next: location.href } });
  },
  component: Authorize,
});

/** A program asks to act for the user. The server has checked where the answer goes. */
function Authorize() {
  const asked = Route.useSearch();
  const query = api.useQuery(
    "get",
    "/api/v1/oauth/authorize/",
    { params: { query: asked } },
    { retry: false },
  );
  const decide = useAct(
    (allow: boolean) => http.POST("/api/v1/oauth/authorize/", { body: { ...asked, allow } }),
    {
      quiet: true,
      after: (decision) => location.assign(decision.redirect_uri),
    },
  );
  return (
    <Door title="Let a program act for you?">
      <Loaded query={query} rows={2}>
        {({ application, scopes, redirect_uri }) => (
          <Stack>
            <Text size="sm">
              <strong>{application.name}</strong> asks to use your account. It may then:
            </Text>
            <List size="sm">
              {Object.entries(scopes).map(([name, description]) => (
                <List.Item key={name}>{String(description)}</List.Item>
              ))}
            </List>
            <Text size="sm" c="dimmed">
              The answer goes to <span className="mono">{new URL(redirect_uri).host}</span>. Say no unless you
              began this yourself.
            </Text>
            <Refusal error={decide.error} />
            <Button loading={decide.isPending} onClick={() => decide.mutate(true)}>
              Allow
            </Button>
            <Button variant="default" disabled={decide.isPending} onClick={() => decide.mutate(false)}>
              No
            </Button>
          </Stack>
        )}
      </Loaded>
    </Door>
  );
}
