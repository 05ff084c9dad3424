/** A channel of the Slack workspace that the project is connected to; before that, the way to connect one. */
import { Alert, Button, Group, Select, Stack, Text } from "@mantine/core";
import { IconBrandSlack } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useAct } from "~/api/act";
import { http, type Schema } from "~/api/client";
import { ApiError, explain, statusOf } from "~/api/error";
import { Failed, Loading } from "~/parts/states";

const CHANNELS = "/api/v1/environments/{environment_key}/integrations/slack-channels/";
/** Slack gives a thousand at once; a workspace of more than so many pages is not listed to its end. */
const MOST_PAGES = 10;

async function allChannels(environment_key: string): Promise<Schema<"SlackChannel">[]> {
  const channels: Schema<"SlackChannel">[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { data } = await http.GET("/api/v1/environments/{environment_key}/integrations/slack-channels/", {
      params: { path: { environment_key }, query: { cursor, limit: 1000 } },
    });
    channels.push(...(data?.channels ?? []));
    cursor = data?.cursor;
    if (!cursor) break;
  }
  return channels.sort((one, other) => one.channel_name.localeCompare(other.channel_name));
}

/** Sends the browser to Slack, which sends it back to this page. */
async function connect(environment_key: string) {
  const { data } = await http.GET("/api/v1/environments/{environment_key}/integrations/slack/signature/", {
    params: { path: { environment_key } },
  });
  const back = new URL(location.href);
  back.search = new URLSearchParams({ set_up: "slack" }).toString();
  const query = new URLSearchParams({ signature: data?.signature ?? "", redirect_url: back.href });
  const url = `/api/v1/environments/${encodeURIComponent(environment_key)}/integrations/slack/oauth/?${query}`;
  // Asked beside the page first: a refusal is told here, and does not become the page.
  const asked = await fetch(url, { redirect: "manual" });
  if (asked.type !== "opaqueredirect") throw new ApiError(asked.status, await asked.json().catch(() => null));
  location.assign(url);
}

function Connect({ environmentKey, again }: { environmentKey: string; again?: boolean }) {
  const act = useAct(() => connect(environmentKey), { quiet: true });
  return (
    <Stack gap="xs">
      {act.error && (
        <Alert color="red" role="alert">
          {explain(act.error)}
        </Alert>
      )}
      <Group>
        <Button
          variant={again ? "subtle" : "default"}
          size={again ? "compact-sm" : "sm"}
          leftSection={<IconBrandSlack size={16} />}
          loading={act.isPending || act.isSuccess}
          onClick={() => act.mutate()}
        >
          {again ? "Connect another workspace" : "Connect a workspace"}
        </Button>
      </Group>
    </Stack>
  );
}

interface SlackChannelProps {
  environmentKey: string;
  label: string;
  description?: string;
  error: string | undefined;
  value: string;
  onChange: (value: string) => void;
}

export function SlackChannel({ environmentKey, label, value, onChange, ...rest }: SlackChannelProps) {
  const query = useQuery({
    queryKey: ["get", CHANNELS, environmentKey],
    queryFn: () => allChannels(environmentKey),
  });
  if (statusOf(query.error) === 400) {
    return (
      <Stack gap="xs">
        <Text size="sm">
          First connect the project to a workspace: Slack asks you to agree, and brings you back here.
        </Text>
        <Connect environmentKey={environmentKey} />
      </Stack>
    );
  }
  if (query.error) {
    return (
      <Stack gap="xs">
        <Failed error={query.error} retry={query.refetch} />
        {statusOf(query.error) === 502 && <Connect environmentKey={environmentKey} again />}
      </Stack>
    );
  }
  if (!query.data) return <Loading rows={1} />;
  const data = query.data.map((one) => ({ value: one.channel_id, label: `#${one.channel_name}` }));
  // One that is gone, or private, is still what is set.
  if (value && !data.some((one) => one.value === value)) data.unshift({ value, label: value });
  return (
    <Stack gap={4}>
      <Select
        label={label}
        required
        searchable
        limit={200}
        data={data}
        value={value || null}
        onChange={(next) => onChange(next ?? "")}
        nothingFoundMessage="No such public channel"
        {...rest}
      />
      <Connect environmentKey={environmentKey} again />
    </Stack>
  );
}
