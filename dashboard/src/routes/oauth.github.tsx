import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import { http } from "~/api/client";
import { Arrival } from "~/session/arrival";
import { hasReturned } from "~/session/outside";

export const Route = createFileRoute("/oauth/github")({ component: FromGithub });

function FromGithub() {
  const [code] = useState(() => {
    const search = new URLSearchParams(location.search);
    return hasReturned(search.get("state")) ? search.get("code") : null;
  });
  return (
    <Arrival
      given={code}
      exchange={(access_token) => http.POST("/api/v1/auth/oauth/github/", { body: { access_token } })}
    />
  );
}
