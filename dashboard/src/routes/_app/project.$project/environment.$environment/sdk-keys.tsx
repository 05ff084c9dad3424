import { createFileRoute } from "@tanstack/react-router";
import { api } from "~/api/client";
import { ServerKeys } from "~/environments/server-keys";
import { ADMIN, useEnvironmentMay } from "~/lib/permissions";
import { apiUrl } from "~/lib/snippets";
import { useIsOn } from "~/own-flags/client";
import { Copyable } from "~/parts/copy";
import { Page } from "~/parts/page";
import { Section } from "~/parts/section";
import { Snippets } from "~/parts/snippets";
import { usePlace } from "~/shell/place";

export const Route = createFileRoute("/_app/project/$project/environment/$environment/sdk-keys")({
  component: SdkKeys,
});

function SdkKeys() {
  const { project, environment } = usePlace();
  const isAdmin = useEnvironmentMay(environment.api_key)(ADMIN);
  const hasServerKeys = useIsOn("serverside_sdk_keys");
  const first = api.useQuery("get", "/api/v1/projects/{project_id}/features/", {
    params: { path: { project_id: project.id }, query: { page_size: 1 } },
  });
  return (
    <Page title="SDK keys" description={`How programs ask ${environment.name} for its features`} width={960}>
      <Section
        title="Client-side key"
        description="Public: browsers and apps carry it. It sees what is served, no rules and nobody else."
      >
        <Copyable value={environment.api_key} label="Copy the client-side key" />
      </Section>
      <Section title="Address of the API" description="SDKs that ask for a base address take this one.">
        <Copyable value={apiUrl()} label="Copy the address" />
      </Section>
      {isAdmin && hasServerKeys && <ServerKeys environmentKey={environment.api_key} />}
      <Section title="Code to begin with">
        <Snippets
          environmentKey={environment.api_key}
          feature={first.data?.results[0]?.name ?? "my_feature"}
        />
      </Section>
    </Page>
  );
}
