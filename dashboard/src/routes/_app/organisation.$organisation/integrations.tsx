import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { Github } from "~/integrations/github";
import { Integrations } from "~/integrations/integrations";
import { ADMIN, useOrganisationMay } from "~/lib/permissions";
import { Page } from "~/parts/page";

export const Route = createFileRoute("/_app/organisation/$organisation/integrations")({
  component: OrganisationIntegrations,
});

function OrganisationIntegrations() {
  const organisation = Number(Route.useParams().organisation);
  const isAdmin = useOrganisationMay(organisation)(ADMIN);
  const [edited, setEdited] = useState<string>();
  return (
    <Page
      title="Integrations"
      description="Services that are told what happens in all projects of this organisation"
    >
      <Integrations
        owner={{ level: "organisation", organisation_id: organisation }}
        title="all projects"
        mayChange={isAdmin}
        edited={edited}
        onEdit={setEdited}
      />
      {isAdmin && <Github organisation={organisation} />}
    </Page>
  );
}
