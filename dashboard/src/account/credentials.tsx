/** The user's address and password. Both ask for the present password. */
import { Button, Group, PasswordInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { Form } from "~/parts/form";
import { Section } from "~/parts/section";
import { about, Refusal } from "~/session/refusal";

export function Address() {
  const [body, setBody] = useState({ new_email: "", current_password: "" });
  const save = useAct(() => http.POST("/api/v1/auth/users/set_email/", { body }), {
    quiet: true,
    changes: ["/api/v1/auth/users/"],
    done: "You sign in with the new address now.",
    after: () => setBody({ new_email: "", current_password: "" }),
  });
  return (
    <Section title="E-mail address">
      <Form onSubmit={() => save.mutate()}>
        <Refusal error={save.error} fields={["new_email", "current_password"]} />
        <TextInput
          label="New address"
          type="email"
          required
          value={body.new_email}
          onChange={(event) => setBody({ ...body, new_email: event.currentTarget.value })}
          error={about(save.error, "new_email")}
        />
        <PasswordInput
          label="Your password"
          required
          autoComplete="current-password"
          value={body.current_password}
          onChange={(event) => setBody({ ...body, current_password: event.currentTarget.value })}
          error={about(save.error, "current_password")}
        />
        <Group>
          <Button type="submit" variant="light" loading={save.isPending}>
            Change the address
          </Button>
        </Group>
      </Form>
    </Section>
  );
}

const NO_PASSWORDS = { current_password: "", new_password: "", re_new_password: "" };

export function Password() {
  const [body, setBody] = useState(NO_PASSWORDS);
  const save = useAct(() => http.POST("/api/v1/auth/users/set_password/", { body }), {
    quiet: true,
    done: "Your password is changed.",
    after: () => setBody(NO_PASSWORDS),
  });
  const field = (name: keyof typeof NO_PASSWORDS) => ({
    required: true,
    value: body[name],
    onChange: (event: { currentTarget: { value: string } }) =>
      setBody({ ...body, [name]: event.currentTarget.value }),
    error: about(save.error, name),
  });
  const differs = body.re_new_password !== "" && body.new_password !== body.re_new_password;
  return (
    <Section title="Password">
      <Form onSubmit={() => save.mutate()}>
        <Refusal error={save.error} fields={Object.keys(NO_PASSWORDS)} />
        <PasswordInput
          label="Present password"
          autoComplete="current-password"
          {...field("current_password")}
        />
        <PasswordInput label="New password" autoComplete="new-password" {...field("new_password")} />
        <PasswordInput
          label="Once more"
          autoComplete="new-password"
          {...field("re_new_password")}
          error={differs ? "The two are different." : about(save.error, "re_new_password")}
        />
        <Group>
          <Button type="submit" variant="light" loading={save.isPending} disabled={differs}>
            Change the password
          </Button>
        </Group>
      </Form>
    </Section>
  );
}
