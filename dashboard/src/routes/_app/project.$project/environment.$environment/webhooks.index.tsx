import { createFileRoute } from "@tanstack/react-router";
import { ADMIN, useEnvironmentMay } from "~/lib/permissions";
import { Page } from "~/parts/page";
import { usePlace } from "~/shell/place";
import { Webhooks } from "~/webhooks/list";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/webhooks/")({
  component: EnvironmentWebhooks,
});

function EnvironmentWebhooks() {
  const { environment } = usePlace();
  const mayChange = useEnvironmentMay(environment.api_key)(ADMIN);
  return (
    <Page
      title="Webhooks"
      description={`Programs of yours that are told when flags of ${environment.name} change`}
      width={960}
    >
      <Webhooks
        owner={{ type: "environment", id: environment.api_key }}
        description="Told when a flag or an override is made, changed or deleted, and when a version is published."
        mayChange={mayChange}
      />
    </Page>
  );
}
