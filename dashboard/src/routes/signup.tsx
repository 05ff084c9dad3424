import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { Door, DoorLink } from "~/session/door";
import { useEnter } from "~/session/enter";
import { SignUpForm } from "~/session/sign-up-form";
import { SingleSignOn } from "~/session/single-sign-on";

export const Route = createFileRoute("/signup")({
  validateSearch: (search: Record<string, unknown>): { invite?: string } => ({
    invite: typeof search.invite === "string" ? search.invite : undefined,
  }),
  component: SignUp,
});

function SignUp() {
  const { invite } = Route.useSearch();
  const enter = useEnter();
  const [mailed, setMailed] = useState<string>();
  if (mailed) {
    return (
      <Door title="Look into your mail">
        A link to confirm your address is on its way to {mailed}. It opens this site again.
      </Door>
    );
  }
  return (
    <Door
      title="Create an account"
      description={invite && "You were invited: use the address the invitation was sent to."}
      width={440}
      footer={
        <>
          Already have one? <DoorLink to="/login">Sign in</DoorLink>
        </>
      }
    >
      <SignUpForm invite={invite} onDone={(key, email) => (key ? enter(key) : setMailed(email))} />
      <SingleSignOn />
    </Door>
  );
}
