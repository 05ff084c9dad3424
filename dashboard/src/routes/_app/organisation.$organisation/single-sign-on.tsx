import { Stack } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
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
    <Stack maw={860}>
      <SamlProviders organisation={organisation} />
      <Scim organisation={organisation} name={name} />
      <InstallationProviders />
    </Stack>
  );
}
