import { createFileRoute } from "@tanstack/react-router";
import { Back } from "~/parts/page";
import { usePlace } from "~/shell/place";
import { OneWebhook } from "~/webhooks/one";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/webhooks/$webhook")({
  component: EnvironmentWebhook,
});

function EnvironmentWebhook() {
  const { webhook, ...params } = Route.useParams();
  const { environment } = usePlace();
  const back = (
    <Back to="/project/$project/environment/$environment/webhooks" params={params}>
      All webhooks
    </Back>
  );
  return <OneWebhook owner={{ type: "environment", id: environment.api_key }} id={webhook} back={back} />;
}
