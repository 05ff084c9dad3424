import { Alert, Button, Checkbox, Group, PasswordInput, TextInput } from "@mantine/core";
import { createFileRoute, Navigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { useOverrides, useOwnFlag } from "~/own-flags/client";
import { Form } from "~/parts/form";
import { Door, DoorLink } from "~/session/door";
import { useEnter } from "~/session/enter";
import { about, Refusal } from "~/session/refusal";
import { SecondFactor } from "~/session/second-factor";
import { SingleSignOn, useIdentityProvider } from "~/session/single-sign-on";
import { useIsFresh } from "~/setup/is-fresh";

interface Search {
  next?: string;
  error?: string;
  /** Not to be sent on to the identity provider. */
  direct?: boolean;
}

export const Route = createFileRoute("/login")({
  validateSearch: (search: Record<string, unknown>): Search => ({
    next: typeof search.next === "string" ? search.next : undefined,
    error: typeof search.error === "string" ? search.error : undefined,
    direct: search.direct === true ? true : undefined,
  }),
  component: LogIn,
});

const FROM_ELSEWHERE: Record<string, string> = {
  oidc_refused: "Your identity provider did not sign you in.",
  oidc_failed: "Your identity provider could not be reached.",
};

function LogIn() {
  const { next, error: code, direct } = Route.useSearch();
  const enter = useEnter();
  const isFresh = useIsFresh().data;
  const { preventSignup } = useOverrides();
  const idp = useOwnFlag("sso_idp");
  useIdentityProvider(idp.enabled && !direct && !code ? idp.value?.trim() : undefined);
  const [credentials, setCredentials] = useState({ email: "", password: "" });
  const [stay, setStay] = useState(false);
  const [secondFactor, setSecondFactor] = useState<string>();
  const logIn = useAct(() => http.POST("/api/v1/auth/login/", { body: credentials }), {
    quiet: true,
    after: (answer) => {
      if (answer && "ephemeral_token" in answer) setSecondFactor(answer.ephemeral_token);
      else return enter(answer?.key, { stay, next });
    },
  });
  if (isFresh) return <Navigate to="/setup" replace />;
  if (secondFactor) {
    return (
      <Door title="One more step">
        <SecondFactor token={secondFactor} onKey={(key) => enter(key, { stay, next })} />
      </Door>
    );
  }
  const set = (name: "email" | "password") => (event: { currentTarget: { value: string } }) =>
    setCredentials({ ...credentials, [name]: event.currentTarget.value });
  return (
    <Door
      title="Sign in"
      footer={
        !preventSignup && (
          <>
            New here? <DoorLink to="/signup">Create an account</DoorLink>
          </>
        )
      }
    >
      <Form onSubmit={() => logIn.mutate()}>
        {code && <Alert color="red">{FROM_ELSEWHERE[code] ?? "Signing in elsewhere did not work."}</Alert>}
        <Refusal error={logIn.error} fields={["email", "password"]} />
        <TextInput
          label="E-mail address"
          type="email"
          required
          autoComplete="username"
          autoFocus
          value={credentials.email}
          onChange={set("email")}
          error={about(logIn.error, "email")}
        />
        <PasswordInput
          label="Password"
          required
          autoComplete="current-password"
          value={credentials.password}
          onChange={set("password")}
          error={about(logIn.error, "password")}
        />
        <Group justify="space-between">
          <Checkbox
            label="Stay signed in"
            checked={stay}
            onChange={(event) => setStay(event.currentTarget.checked)}
          />
          <DoorLink to="/password-recovery">Forgotten?</DoorLink>
        </Group>
        <Button type="submit" loading={logIn.isPending}>
          Sign in
        </Button>
      </Form>
      <SingleSignOn />
    </Door>
  );
}
