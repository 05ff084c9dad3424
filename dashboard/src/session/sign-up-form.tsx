import { Button, Checkbox, Group, PasswordInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { useIsOn } from "~/own-flags/client";
import { Form } from "~/parts/form";
import { about, Refusal } from "./refusal";

interface SignUpFormProps {
  /** The invitation that lets somebody in where nobody else is. */
  invite?: string;
  onDone: (key: string | undefined, email: string) => unknown;
}

const FIELDS = ["first_name", "last_name", "email", "password"] as const;

/** Makes an account. Where addresses are confirmed by mail, no key comes back. */
export function SignUpForm({ invite, onDone }: SignUpFormProps) {
  const [person, setPerson] = useState({ first_name: "", last_name: "", email: "", password: "" });
  const asksForNews = useIsOn("mailing_list");
  const [news, setNews] = useState(false);
  const signUp = useAct(
    () =>
      http.POST("/api/v1/auth/users/", {
        body: {
          ...person,
          sign_up_type: invite ? "INVITE_EMAIL" : "NO_INVITE",
          invite_hash: invite ?? null,
          ...(asksForNews && { marketing_consent_given: news }),
        },
      }),
    { quiet: true, after: (answer) => onDone(answer.key, person.email) },
  );
  const field = (name: (typeof FIELDS)[number]) => ({
    value: person[name],
    required: true,
    onChange: (event: { currentTarget: { value: string } }) =>
      setPerson({ ...person, [name]: event.currentTarget.value }),
    error: about(signUp.error, name),
  });
  return (
    <Form onSubmit={() => signUp.mutate()}>
      <Refusal error={signUp.error} fields={[...FIELDS]} />
      <Group grow align="flex-start">
        <TextInput label="First name" autoComplete="given-name" {...field("first_name")} />
        <TextInput label="Last name" autoComplete="family-name" {...field("last_name")} />
      </Group>
      <TextInput label="E-mail address" type="email" autoComplete="username" {...field("email")} />
      <PasswordInput
        label="Password"
        description="At least eight characters, not all of them digits"
        autoComplete="new-password"
        {...field("password")}
      />
      {asksForNews && (
        <Checkbox
          label="You may mail me news"
          checked={news}
          onChange={(event) => setNews(event.currentTarget.checked)}
        />
      )}
      <Button type="submit" loading={signUp.isPending}>
        Create account
      </Button>
    </Form>
  );
}
