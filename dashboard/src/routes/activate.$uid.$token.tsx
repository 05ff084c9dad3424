import { createFileRoute } from "@tanstack/react-router";
import { http } from "~/api/client";
import { ConfirmLink } from "~/session/confirm-link";

export const Route = createFileRoute("/activate/$uid/$token")({ component: Activate });

function Activate() {
  const body = Route.useParams();
  return (
    <ConfirmLink
      title="Confirm your address"
      description="This activates your account."
      action="Confirm"
      done="Your account is active. Sign in."
      act={() => http.POST("/api/v1/auth/users/activation/", { body })}
    />
  );
}
