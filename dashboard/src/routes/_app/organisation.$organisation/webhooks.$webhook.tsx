import { createFileRoute } from "@tanstack/react-router";
import { Back } from "~/parts/page";
import { OneWebhook } from "~/webhooks/one";

export const Route = createFileRoute("/_app/organisation/$organisation/webhooks/$webhook")({
  component: OrganisationWebhook,
});

function OrganisationWebhook() {
  const { organisation, webhook } = Route.useParams();
  const back = (
    <Back to="/organisation/$organisation/webhooks" params={{ organisation }}>
      All webhooks
    </Back>
  );
  return <OneWebhook owner={{ type: "organisation", id: Number(organisation) }} id={webhook} back={back} />;
}
