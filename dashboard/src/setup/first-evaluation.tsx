/** The last step: the code to paste, and what it would get, live. */
import { Button, Stack, Switch } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/api/act";
import { http } from "~/api/client";
import { LiveEvaluation } from "~/parts/live-evaluation";
import { Snippets } from "~/parts/snippets";
import type { FirstFlag } from "./first-project";

export function FirstEvaluation({ project, environment, feature }: FirstFlag) {
  const navigate = useNavigate();
  const [isOn, setIsOn] = useState(true);
  const key = environment.api_key;
  const turn = useAct(
    (enabled: boolean) =>
      http.PATCH("/api/__future__/environments/{environment_key}/features/{feature_id}/", {
        params: { path: { environment_key: key, feature_id: feature.id } },
        body: { environment_default: { enabled } },
      }),
    { after: (_, enabled) => setIsOn(enabled) },
  );
  return (
    <Stack gap="lg">
      <Switch
        label={`${feature.name} in ${environment.name}`}
        description="Turn it off and on, and watch what SDKs are told."
        checked={isOn}
        disabled={turn.isPending}
        onChange={(event) => turn.mutate(event.currentTarget.checked)}
      />
      <LiveEvaluation environmentKey={key} feature={feature.name} />
      <Snippets environmentKey={key} feature={feature.name} />
      <Button
        rightSection={<IconArrowRight size={16} />}
        onClick={() =>
          navigate({
            to: "/project/$project/environment/$environment/features",
            params: { project: String(project.id), environment: key },
          })
        }
      >
        To the features
      </Button>
    </Stack>
  );
}
