import { Button } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { createFileRoute, Link } from "@tanstack/react-router";
import { Page } from "~/parts/page";
import { usePlace } from "~/shell/place";
import { OneWebhook } from "~/webhooks/one";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/webhooks/$webhook")({
  component: EnvironmentWebhook,
});

function EnvironmentWebhook() {
  const { webhook, ...params } = Route.useParams();
  const { environment } = usePlace();
  const back = (
    <Button
      variant="default"
      leftSection={<IconArrowLeft size={16} />}
      renderRoot={(props) => (
        <Link to="/project/$project/environment/$environment/webhooks" params={params} {...props} />
      )}
    >
      All webhooks
    </Button>
  );
  return (
    <Page title="Webhook" description={`Of ${environment.name}`} width={960} actions={back}>
      <OneWebhook owner={{ type: "environment", id: environment.api_key }} id={webhook} />
    </Page>
  );
}
