import { createFileRoute } from "@tanstack/react-router";
import { NARROW, Page } from "~/parts/page";
import { useOrganisations } from "~/shell/place";
import { InstallationProviders } from "~/sso/providers";
import { SamlProviders } from "~/sso/saml";
import { Scim } from "~/sso/scim";

export const Route = createFileRoute("/_app/organisation/$organisation/single-sign-on")({
  component: SingleSignOnSettings,
});

function SingleSignOnSettings() {
  const organisation = Number(Route.useParams().organisation);
  const all = useOrganisations().data?.results ?? [];
  const name = all.find((one) => one.id === organisation)?.name ?? "";
  return (
    <Page
      title="Single sign-on"
      description="Members sign in with the account of their company."
      width={NARROW}
    >
      <SamlProviders organisation={organisation} />
      <Scim organisation={organisation} name={name} />
      <InstallationProviders />
    </Page>
  );
}
