/** An invitation: joins the organisation, after signing in or up where that is still to do. */
import { Button, Stack, Text } from "@mantine/core";
import { useNavigate, useRouterState } from "@tanstack/react-router";
import { useAct } from "~/api/act";
import { queryClient, type Schema } from "~/api/client";
import { useSignedIn } from "~/api/session";
import { Door } from "./door";
import { keepInvitation } from "./enter";
import { Refusal } from "./refusal";

interface InvitationProps {
  hash: string;
  join: () => Promise<{ data?: Schema<"OrganisationView"> }>;
}

export function Invitation({ hash, join }: InvitationProps) {
  const signedIn = useSignedIn();
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const accept = useAct<void, Schema<"OrganisationView">>(join, {
    quiet: true,
    done: (organisation) => `Welcome to ${organisation.name}.`,
    after: (organisation) => {
      queryClient.clear();
      return navigate({
        to: "/organisation/$organisation",
        params: { organisation: String(organisation.id) },
      });
    },
  });
  const leave = (to: "/login" | "/signup") => {
    keepInvitation(path);
    return navigate(to === "/signup" ? { to, search: { invite: hash } } : { to });
  };
  return (
    <Door
      title="You are invited"
      description="To work on feature flags together, in an organisation on this site."
    >
      {signedIn ? (
        <Stack>
          <Refusal error={accept.error} />
          <Button onClick={() => accept.mutate()} loading={accept.isPending}>
            Join
          </Button>
        </Stack>
      ) : (
        <Stack>
          <Text size="sm">Sign in with the account you have, or create one. Then you can join.</Text>
          <Button onClick={() => leave("/signup")}>Create an account</Button>
          <Button variant="default" onClick={() => leave("/login")}>
            I have an account
          </Button>
        </Stack>
      )}
    </Door>
  );
}
