import { createFileRoute, Outlet, redirect, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { isSignedIn, useSignedIn } from "~/api/session";
import { Maintenance } from "~/own-flags/maintenance";
import { Shell } from "~/shell/shell";

export const Route = createFileRoute("/_app")({
  beforeLoad: ({ location }) => {
    if (!isSignedIn()) throw redirect({ to: "/login", search: { next: location.href } });
  },
  component: App,
});

function App() {
  const signedIn = useSignedIn();
  const navigate = useNavigate();
  useEffect(() => {
    if (!signedIn) void navigate({ to: "/login", search: { next: location.pathname + location.search } });
  }, [signedIn, navigate]);
  if (!signedIn) return null;
  return (
    <Maintenance>
      <Shell>
        <Outlet />
      </Shell>
    </Maintenance>
  );
}
