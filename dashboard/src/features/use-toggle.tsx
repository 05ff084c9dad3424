/** Turning a feature on or off in an environment: shown at once, put back if it is refused, undone with a click. */
import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { fail } from "~/api/act";
import { http, queryClient, refresh, type Schema } from "~/api/client";
import { usePlace } from "~/shell/place";

type Feature = Schema<"FeatureView">;
type Features = Schema<"Page_FeatureView">;

interface Toggle {
  feature: Feature;
  enabled: boolean;
}

const LIST = "/api/v1/projects/{project_id}/features/";

/** Paths whose answers a change of a flag's state changes. */
export const FLAG_PATHS = [
  LIST,
  "/api/__future__/environments/",
  "/api/v1/environments/{environment_key}/features",
];

function show({ feature, enabled }: Toggle, environment: number) {
  const lists = { predicate: ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey[1] === LIST };
  queryClient.setQueriesData<Features>(lists, (page) => {
    if (!page) return page;
    const turned = (one: Feature): Feature =>
      one.id === feature.id && one.environment_feature_state?.environment === environment
        ? { ...one, environment_feature_state: { ...one.environment_feature_state, enabled } }
        : one;
    return { ...page, results: page.results.map(turned) };
  });
}

export function useToggle() {
  const { environment } = usePlace();
  const toggle = useMutation({
    mutationFn: ({ feature, enabled }: Toggle) =>
      http.PATCH("/api/__future__/environments/{environment_key}/features/{feature_id}/", {
        params: { path: { environment_key: environment.api_key, feature_id: feature.id } },
        body: { environment_default: { enabled } },
      }),
    onMutate: (input) => show(input, environment.id),
    onError: (error, input) => {
      show({ ...input, enabled: !input.enabled }, environment.id);
      fail(error);
    },
    onSuccess: (_, input) => {
      offerUndo(input, () => toggle.mutate({ ...input, enabled: !input.enabled }));
      return refresh(...FLAG_PATHS);
    },
  });
  return toggle;
}

function offerUndo({ feature, enabled }: Toggle, undo: () => void) {
  const id = `toggle-${feature.id}`;
  notifications.hide(id);
  notifications.show({
    id,
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">
          <strong>{feature.name}</strong> is {enabled ? "on" : "off"}.
        </Text>
        <Button
          size="compact-sm"
          variant="light"
          onClick={() => {
            notifications.hide(id);
            undo();
          }}
        >
          Undo
        </Button>
      </Group>
    ),
  });
}
