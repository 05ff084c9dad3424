import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { http } from "~/api/client";
import { Arrival } from "~/session/arrival";
import { hasReturned } from "~/session/outside";

export const Route = createFileRoute("/oauth/google")({ component: FromGoogle });

function FromGoogle() {
  const [token] = useState(() => {
    const fragment = new URLSearchParams(location.hash.slice(1));
    return hasReturned(fragment.get("state")) ? fragment.get("access_token") : null;
  });
  return (
    <Arrival
      given={token}
      exchange={(access_token) => http.POST("/api/v1/auth/oauth/google/", { body: { access_token } })}
    />
  );
}
