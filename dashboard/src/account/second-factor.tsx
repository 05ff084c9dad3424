/** The second factor of the user's own account. */
import { Badge, Button, Code, Group, Modal, SimpleGrid, Stack, Text } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { useAct } from "~/api/act";
import { api, http, type Schema } from "~/api/client";
import { Copy } from "~/parts/copy";
import { Form } from "~/parts/form";
import { Section } from "~/parts/section";
import { Loaded } from "~/parts/states";
import { TextField } from "~/parts/text-field";
import { Refusal } from "~/session/refusal";

const QrCode = lazy(() => import("qrcode.react").then((module) => ({ default: module.QRCodeSVG })));

const METHODS = "/api/v1/auth/mfa/user-active-methods/";

function BackupCodes({ codes, onClose }: { codes: string[] | undefined; onClose: () => void }) {
  return (
    <Modal
      opened={codes !== undefined}
      onClose={onClose}
      title="Your backup codes"
      closeOnClickOutside={false}
    >
      <Stack>
        <Text size="sm">
          Each signs you in once when the app is not at hand. They are shown only now: keep them somewhere
          safe.
        </Text>
        <SimpleGrid cols={2} spacing="xs">
          {codes?.map((code) => (
            <Code key={code}>{code}</Code>
          ))}
        </SimpleGrid>
        <Group justify="space-between">
          <Copy value={codes?.join("\n") ?? ""} label="Copy all codes" />
          <Button onClick={onClose}>I have kept them</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function CodeForm({
  label,
  action,
  act,
}: {
  label: string;
  action: string;
  act: ReturnType<typeof useAct<string, unknown>>;
}) {
  const [code, setCode] = useState("");
  return (
    <Form onSubmit={() => act.mutate(code.trim())} gap="xs">
      <Refusal error={act.error} />
      <Group align="flex-end">
        <TextField
          label={label}
          inputMode="numeric"
          autoComplete="one-time-code"
          value={code}
          onChange={setCode}
        />
        <Button type="submit" loading={act.isPending} disabled={code.trim().length < 6}>
          {action}
        </Button>
      </Group>
    </Form>
  );
}

export function SecondFactorSettings() {
  const methods = api.useQuery("get", METHODS);
  const [setUp, setSetUp] = useState<Schema<"AppSetUp">>();
  const [codes, setCodes] = useState<string[]>();
  const begin = useAct(() => http.POST("/api/v1/auth/app/activate/"), { after: setSetUp });
  const confirm = useAct<string, unknown>(
    (code) => http.POST("/api/v1/auth/app/activate/confirm/", { body: { code } }),
    {
      quiet: true,
      changes: ["/api/"],
      done: "Signing in asks for a code from now on.",
      after: (answer) => {
        setSetUp(undefined);
        setCodes((answer as Schema<"BackupCodes">).backup_codes);
      },
    },
  );
  const end = useAct<string, unknown>(
    (code) => http.POST("/api/v1/auth/app/deactivate/", { body: { code } }),
    {
      quiet: true,
      changes: [METHODS],
      done: "The second factor is off.",
    },
  );
  return (
    <Section title="Second factor" description="A code from an authenticator app, each time you sign in.">
      <Loaded query={methods} rows={1}>
        {(active) =>
          active.length > 0 ? (
            <Stack>
              <Badge color="teal">on</Badge>
              <CodeForm label="A code, to turn it off" action="Turn off" act={end} />
            </Stack>
          ) : setUp ? (
            <Stack>
              <Text size="sm">
                Scan this with the app, or type the secret into it. Then enter the code it shows.
              </Text>
              <Group align="flex-start">
                <div style={{ background: "white", padding: 12, borderRadius: 8 }}>
                  <Suspense>
                    <QrCode value={setUp.qr_link} size={148} title="Code for the authenticator app" />
                  </Suspense>
                </div>
                <Group gap={4}>
                  <Code>{setUp.secret}</Code>
                  <Copy value={setUp.secret} label="Copy the secret" />
                </Group>
              </Group>
              <CodeForm label="Code" action="Turn on" act={confirm} />
            </Stack>
          ) : (
            <Group>
              <Button variant="light" loading={begin.isPending} onClick={() => begin.mutate()}>
                Set up
              </Button>
            </Group>
          )
        }
      </Loaded>
      <BackupCodes codes={codes} onClose={() => setCodes(undefined)} />
    </Section>
  );
}
