import { Button, PasswordInput } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { Form } from "~/parts/form";
import { about, Refusal } from "./refusal";

/** Chooses a password with a link that was mailed or shown. */
export function NewPassword({ uid, token, onDone }: { uid: string; token: string; onDone: () => unknown }) {
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const differs = again !== "" && again !== password;
  const confirm = useAct(
    () =>
      http.POST("/api/v1/auth/users/reset_password_confirm/", {
        body: { new_password: password, re_new_password: again, uid, token },
      }),
    { quiet: true, after: onDone },
  );
  return (
    <Form onSubmit={() => confirm.mutate()}>
      <Refusal error={confirm.error} fields={["new_password"]} />
      <PasswordInput
        label="New password"
        description="At least eight characters, not all of them digits"
        required
        autoFocus
        autoComplete="new-password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        error={about(confirm.error, "new_password")}
      />
      <PasswordInput
        label="Once more"
        required
        autoComplete="new-password"
        value={again}
        onChange={(event) => setAgain(event.currentTarget.value)}
        error={differs && "The two are different."}
      />
      <Button type="submit" loading={confirm.isPending} disabled={!password || differs || !again}>
        Set the password
      </Button>
    </Form>
  );
}
