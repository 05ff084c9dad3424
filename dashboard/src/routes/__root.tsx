import { createRootRoute, Outlet } from "@tanstack/react-router";
import { Crashed, NotFound } from "~/parts/states";

export const Route = createRootRoute({
  component: Outlet,
  notFoundComponent: NotFound,
  errorComponent: Crashed,
});
