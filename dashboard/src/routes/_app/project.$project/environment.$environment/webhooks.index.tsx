import { createFileRoute } from "@tanstack/react-router";
import { ADMIN, useEnvironmentMay } from "~/lib/permissions";
import { usePlace } from "~/shell/place";
import { Webhooks } from "~/webhooks/list";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/webhooks/")({
  component: EnvironmentWebhooks,
});

function EnvironmentWebhooks() {
  const { environment } = usePlace();
  const mayChange = useEnvironmentMay(environment.api_key)(ADMIN);
  return (
    <Webhooks
      owner={{ type: "environment", id: environment.api_key }}
      description={`Programs of yours that are told when a flag or an override of ${environment.name} changes, and when a version is published.`}
      mayChange={mayChange}
    />
  );
}
