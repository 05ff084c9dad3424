import { createRootRoute, Outlet } from "@tanstack/react-router";
import { useDarkMode } from "~/own-flags/dark-mode";
import { Crashed, NotFound } from "~/parts/states";

export const Route = createRootRoute({
  component: Root,
  notFoundComponent: NotFound,
  errorComponent: Crashed,
});

function Root() {
  useDarkMode();
  return <Outlet />;
}
