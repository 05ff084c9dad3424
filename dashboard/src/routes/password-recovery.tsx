import { Button } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { Door, DoorLink } from "~/session/door";
import { about, Refusal } from "~/session/refusal";

export const Route = createFileRoute("/password-recovery")({ component: Recovery });

function Recovery() {
  const [email, setEmail] = useState("");
  const ask = useAct(() => http.POST("/api/v1/auth/users/reset_password/", { body: { email } }), {
    quiet: true,
  });
  const footer = <DoorLink to="/login">Back to signing in</DoorLink>;
  if (ask.isSuccess) {
    return (
      <Door title="Look into your mail" footer={footer}>
        If there is an account for {email}, a link to choose a new password is on its way. On an installation
        without a mail server, its operator can make one with “burgee reset-link”.
      </Door>
    );
  }
  return (
    <Door title="A new password" description="We send a link to your address." footer={footer}>
      <Form onSubmit={() => ask.mutate()}>
        <Refusal error={ask.error} fields={["email"]} />
        <TextField
          label="E-mail address"
          type="email"
          required
          autoFocus
          autoComplete="username"
          value={email}
          onChange={setEmail}
          error={about(ask.error, "email")}
        />
        <Button type="submit" loading={ask.isPending}>
          Send the link
        </Button>
      </Form>
    </Door>
  );
}
