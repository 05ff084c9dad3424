/** Asks what a change would do before it is made. */
import { Button, Group, Loader, Paper, Stack, Text } from "@mantine/core";
import { IconUsersGroup } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { api, type Schema } from "~/api/client";
import { useEnvironmentMay } from "~/lib/permissions";
import { Refusal } from "~/session/refusal";
import { usePlace } from "~/shell/place";
import { Report } from "./report";

interface ImpactPreviewProps {
  proposal: Schema<"ImpactBody">;
  disabled?: boolean;
}

interface EvaluatedProps extends ImpactPreviewProps {
  /** What the button says that begins it. */
  label: string;
  /** What the answer is called. */
  region: string;
  children: (impact: Schema<"ImpactView">) => ReactNode;
}

/** Of another proposal another preview: what was counted for one says nothing of the next. */
export function ImpactPreview(props: ImpactPreviewProps) {
  const { environment } = usePlace();
  const may = useEnvironmentMay(environment.api_key);
  if (!may("VIEW_IDENTITIES")) return null;
  return (
    <Evaluated {...props} key={JSON.stringify(props.proposal)} label="Preview impact" region="Impact">
      {(impact) => <Report impact={impact} />}
    </Evaluated>
  );
}

/** Evaluates the stored identities with a proposal, once somebody asks for it. */
export function Evaluated({ proposal, disabled, label, region, children }: EvaluatedProps) {
  const { environment } = usePlace();
  const [isAsked, setAsked] = useState(false);
  // Going away, or stopping, ends the request, and with it the work on the server.
  const query = api.useQuery(
    "post",
    "/api/v1/environments/{environment_key}/impact/",
    { params: { path: { environment_key: environment.api_key } }, body: proposal },
    { enabled: isAsked, retry: false, staleTime: 0, gcTime: 0, refetchOnWindowFocus: false },
  );
  if (!isAsked)
    return (
      <Group>
        <Button
          variant="default"
          leftSection={<IconUsersGroup size={16} />}
          disabled={disabled}
          onClick={() => setAsked(true)}
        >
          {label}
        </Button>
      </Group>
    );
  return (
    <Paper p="sm" component="section" aria-label={region}>
      {query.data ? (
        children(query.data)
      ) : (
        <Awaited query={query} environment={environment.name} onStop={() => setAsked(false)} />
      )}
    </Paper>
  );
}

interface AwaitedProps {
  query: { error: unknown; isFetching: boolean; refetch: () => unknown };
  environment: string;
  onStop: () => void;
}

function Awaited({ query, environment, onStop }: AwaitedProps) {
  if (query.error)
    return (
      <Stack gap="xs">
        <Refusal error={query.error} />
        <Group>
          <Button variant="default" size="xs" onClick={() => query.refetch()} loading={query.isFetching}>
            Try again
          </Button>
        </Group>
      </Stack>
    );
  return (
    <Group justify="space-between">
      <Group gap="xs" role="status">
        <Loader size="xs" />
        <Text size="sm">Evaluating the identities of {environment}…</Text>
      </Group>
      <Button variant="subtle" size="xs" onClick={onStop}>
        Stop
      </Button>
    </Group>
  );
}
