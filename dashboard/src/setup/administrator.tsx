/** The first step on a fresh installation: its administrator. */
import { Button, PasswordInput } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { about, Refusal } from "~/session/refusal";

const LINK = "burgee-set-up-link";

/** The last two parts of the address where the administrator chooses a password. */
export function linkOf(url: string): { uid: string; token: string } | null {
  const [uid, token] = url.split("/").filter(Boolean).slice(-2);
  return uid && token ? { uid, token } : null;
}

/** An account that was made and has no password yet, if the password was refused or the page was left. */
function unfinished(): { email: string; url: string } | null {
  try {
    return JSON.parse(sessionStorage.getItem(LINK) ?? "null");
  } catch {
    return null;
  }
}

async function makeAdministrator(email: string, password: string, code: string): Promise<string | undefined> {
  let made = unfinished();
  if (made?.email !== email) {
    const body = { email, ...(code ? { code } : {}) };
    const { data } = await http.POST("/api/v1/users/config/init/", { body });
    made = { email, url: data?.passwordResetUrl ?? "" };
    sessionStorage.setItem(LINK, JSON.stringify(made));
  }
  const link = linkOf(made.url);
  if (!link) throw new Error("The server sent no link to choose a password with.");
  const passwords = { new_password: password, re_new_password: password };
  await http.POST("/api/v1/auth/users/reset_password_confirm/", { body: { ...link, ...passwords } });
  sessionStorage.removeItem(LINK);
  const { data } = await http.POST("/api/v1/auth/login/", { body: { email, password } });
  return data && "key" in data ? data.key : undefined;
}

export function Administrator({ onKey }: { onKey: (key: string | undefined) => unknown }) {
  const [email, setEmail] = useState(unfinished()?.email ?? "");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const make = useAct(() => makeAdministrator(email, password, code.trim()), { quiet: true, after: onKey });
  const isTooWeak = password !== "" && (password.length < 8 || /^\d+$/.test(password));
  return (
    <Form onSubmit={() => make.mutate()}>
      <Refusal error={make.error} fields={["email", "code", "new_password"]} />
      <TextField
        label="Your e-mail address"
        type="email"
        required
        autoFocus
        autoComplete="username"
        value={email}
        onChange={setEmail}
        error={about(make.error, "email")}
      />
      <PasswordInput
        label="Password"
        description="At least eight characters, not all of them digits"
        required
        autoComplete="new-password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        error={about(make.error, "new_password")}
      />
      <TextField
        label="Set-up code"
        description="Printed when the server starts, where it can be reached from other machines. Leave it empty otherwise."
        autoComplete="off"
        value={code}
        onChange={setCode}
        error={about(make.error, "code")}
      />
      <Button type="submit" loading={make.isPending} disabled={!password || isTooWeak}>
        Create the administrator
      </Button>
    </Form>
  );
}
