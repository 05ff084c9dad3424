import { Button } from "@mantine/core";
import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { Door } from "~/session/door";
import { about, Refusal } from "~/session/refusal";

export const Route = createFileRoute("/email-reset/confirm/$uid/$token")({ component: ChooseAddress });

function ChooseAddress() {
  const link = Route.useParams();
  const navigate = useNavigate();
  const [email, setEmail] = useState("");
  const confirm = useAct(
    () => http.POST("/api/v1/auth/users/reset_email_confirm/", { body: { ...link, new_email: email } }),
    { quiet: true, done: "You sign in with the new address now.", after: () => navigate({ to: "/login" }) },
  );
  return (
    <Door title="Choose another address">
      <Form onSubmit={() => confirm.mutate()}>
        <Refusal error={confirm.error} fields={["new_email"]} />
        <TextField
          label="New e-mail address"
          type="email"
          required
          autoFocus
          value={email}
          onChange={setEmail}
          error={about(confirm.error, "new_email")}
        />
        <Button type="submit" loading={confirm.isPending}>
          Sign in with it from now on
        </Button>
      </Form>
    </Door>
  );
}
