import { Button, PinInput, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { Form } from "~/parts/form";
import { TextField } from "~/parts/text-field";
import { Refusal } from "./refusal";

/** Asks for the code of the authenticator app, or for one of the backup codes. */
export function SecondFactor({
  token,
  onKey,
}: {
  token: string;
  onKey: (key: string | undefined) => unknown;
}) {
  const [code, setCode] = useState("");
  const [byBackup, setByBackup] = useState(false);
  const check = useAct(
    (code: string) => http.POST("/api/v1/auth/login/code/", { body: { ephemeral_token: token, code } }),
    { quiet: true, after: (answer) => onKey((answer as { key?: string } | undefined)?.key) },
  );
  return (
    <Form onSubmit={() => check.mutate(code.trim())}>
      <Refusal error={check.error} />
      {byBackup ? (
        <TextField
          label="Backup code"
          value={code}
          onChange={setCode}
          autoComplete="one-time-code"
          data-autofocus
        />
      ) : (
        <Stack gap={6} align="center">
          <Text size="sm">The six digits your authenticator app shows</Text>
          <PinInput
            length={6}
            type="number"
            oneTimeCode
            autoFocus
            value={code}
            onChange={setCode}
            onComplete={(complete) => check.mutate(complete)}
            getInputProps={(index) => ({ "aria-label": `Digit ${index + 1}` })}
          />
        </Stack>
      )}
      <Button type="submit" loading={check.isPending} disabled={code.trim().length < 6}>
        Sign in
      </Button>
      <Button variant="subtle" size="xs" onClick={() => setByBackup(!byBackup)}>
        {byBackup ? "Use the authenticator app" : "Use a backup code"}
      </Button>
    </Form>
  );
}
