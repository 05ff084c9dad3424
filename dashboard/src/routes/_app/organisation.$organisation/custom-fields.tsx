import { createFileRoute } from "@tanstack/react-router";
import { ADMIN, useOrganisationMay } from "~/lib/permissions";
import { CustomFields } from "~/metadata/custom-fields";

export const Route = createFileRoute("/_app/organisation/$organisation/custom-fields")({
  component: OrganisationFields,
});

function OrganisationFields() {
  const organisation = Number(Route.useParams().organisation);
  const isAdmin = useOrganisationMay(organisation)(ADMIN);
  return <CustomFields organisation={organisation} project={null} mayManage={isAdmin} />;
}
