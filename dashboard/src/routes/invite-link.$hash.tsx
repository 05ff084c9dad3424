import { createFileRoute } from "@tanstack/react-router";
import { http } from "~/api/client";
import { Invitation } from "~/session/invitation";

export const Route = createFileRoute("/invite-link/$hash")({ component: ByLink });

function ByLink() {
  const { hash } = Route.useParams();
  return (
    <Invitation
      hash={hash}
      join={() => http.POST("/api/v1/users/join/link/{hash}/", { params: { path: { hash } } })}
    />
  );
}
