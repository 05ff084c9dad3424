import { createFileRoute } from "@tanstack/react-router";
import { ADMIN, useOrganisationMay } from "~/lib/permissions";
import { FailureMail } from "~/organisation/failure-mail";
import { Webhooks } from "~/webhooks/list";

export const Route = createFileRoute("/_app/organisation/$organisation/webhooks/")({
  component: OrganisationWebhooks,
});

function OrganisationWebhooks() {
  const organisation = Number(Route.useParams().organisation);
  const isAdmin = useOrganisationMay(organisation)(ADMIN);
  return (
    <Webhooks
      owner={{ type: "organisation", id: organisation }}
      description="Programs of yours that are told when a flag of any environment changes, and of every line of the audit log."
      mayChange={isAdmin}
    >
      {isAdmin && <FailureMail organisation={organisation} />}
    </Webhooks>
  );
}
