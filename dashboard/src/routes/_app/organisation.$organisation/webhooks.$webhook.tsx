import { Button, Stack } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { createFileRoute, Link } from "@tanstack/react-router";
import { OneWebhook } from "~/webhooks/one";

export const Route = createFileRoute("/_app/organisation/$organisation/webhooks/$webhook")({
  component: OrganisationWebhook,
});

function OrganisationWebhook() {
  const { organisation, webhook } = Route.useParams();
  return (
    <Stack>
      <Button
        variant="default"
        leftSection={<IconArrowLeft size={16} />}
        renderRoot={(props) => (
          <Link to="/organisation/$organisation/webhooks" params={{ organisation }} {...props} />
        )}
        style={{ alignSelf: "flex-start" }}
      >
        All webhooks
      </Button>
      <OneWebhook owner={{ type: "organisation", id: Number(organisation) }} id={webhook} />
    </Stack>
  );
}
