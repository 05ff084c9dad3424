/** What is said above every page: to some, to all, or of an organisation. */
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconGauge, IconInfoCircle, IconLock, IconSpeakerphone } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { api } from "~/api/client";
import { ADMIN, useOrganisationMay } from "~/lib/permissions";
import { FRAME } from "~/parts/page";
import { useAddress, useProject } from "~/shell/place";
import { useIsOn, useOverrides, useOwnFlag, useReadOnly, useTrait } from "./client";
import { jsonOf, textIn } from "./flags";

// Few installations have something to say, and reading Markdown safely takes two libraries.
const RichText = lazy(() => import("./rich-text"));

const DISMISSED = "dismissed_announcement";

export function ButterBar() {
  const { enabled, value } = useOwnFlag("butter_bar");
  if (!enabled || !value?.trim()) return null;
  return (
    <Alert color="yellow" icon={<IconInfoCircle />} data-test="butter-bar">
      <Suspense>
        <RichText text={value} />
      </Suspense>
    </Alert>
  );
}

/** Only addresses of the web are gone to. */
function webAddress(url: string | undefined): string | undefined {
  return url && /^(https?:\/\/|\/(?!\/))/i.test(url) ? url : undefined;
}

function Announcement() {
  const json = jsonOf(useOwnFlag("announcement"));
  const [dismissed, dismiss] = useTrait(DISMISSED);
  const [id, title] = [textIn(json, "id"), textIn(json, "title")];
  if (!id || !title || String(dismissed) === id) return null;
  const url = webAddress(textIn(json, "url"));
  const description = textIn(json, "description");
  const isClosable = (json as { isClosable?: unknown }).isClosable !== false;
  return (
    <Alert
      title={title}
      icon={<IconSpeakerphone />}
      withCloseButton={isClosable}
      closeButtonLabel="Close the announcement"
      onClose={() => dismiss(id)}
      data-test="announcement"
    >
      <Group justify="space-between">
        {description && <Text size="sm">{description}</Text>}
        {url && (
          <Button
            component="a"
            href={url}
            target="_blank"
            rel="noopener noreferrer"
            size="xs"
            variant="default"
          >
            {textIn(json, "buttonText") ?? "More"}
          </Button>
        )}
      </Group>
    </Alert>
  );
}

function ReadOnly() {
  return useReadOnly() ? (
    <Alert color="orange" icon={<IconLock />} data-test="read-only">
      The dashboard is read-only for now: nothing can be changed.
    </Alert>
  ) : null;
}

const OFTEN = 0.7;

/** For administrators of the organisation that is looked at, who alone may know. */
function ApiCalls() {
  const isOn = useIsOn("max_api_calls_alert");
  const address = useAddress();
  const project = useProject(address.project).data;
  const organisation = project?.organisation ?? address.organisation;
  const isAdmin = useOrganisationMay(organisation ?? 0)(ADMIN);
  const enabled = isOn && organisation !== undefined && isAdmin;
  const params = { path: { organisation_id: organisation ?? 0 } };
  const rarely = { enabled, staleTime: 600_000, retry: false };
  const limit = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/get-subscription-metadata/",
    { params },
    rarely,
  ).data?.max_api_calls;
  const used = api.useQuery(
    "get",
    "/api/v1/organisations/{organisation_id}/usage-data/total-count/",
    { params },
    rarely,
  ).data?.count;
  if (!enabled || limit === undefined || used === undefined || used <= limit * OFTEN) return null;
  return (
    <Alert color={used >= limit ? "red" : "orange"} icon={<IconGauge />} data-test="api-calls">
      {Math.round((used / limit) * 100)} % of the organisation's {limit.toLocaleString()} API calls are used.
    </Alert>
  );
}

export function Bars() {
  return (
    <Stack gap="sm" mb="lg" mx="auto" maw={FRAME} className="bars">
      <ReadOnly />
      <ButterBar />
      <Announcement />
      <ApiCalls />
    </Stack>
  );
}

/** For the pages outside: what is worked on, and what there is to say. */
export function DoorBars() {
  const isUnderway = useIsOn("maintenance_mode");
  const { maintenance } = useOverrides();
  return (
    <Stack gap="sm" className="bars">
      {(isUnderway || maintenance) && (
        <Alert color="orange" icon={<IconLock />}>
          This installation is being worked on. Only its administrators get further for now.
        </Alert>
      )}
      <ButterBar />
    </Stack>
  );
}
