import { http, queryClient } from "~/api/client";
import * as session from "~/api/session";
import { forgetPlace } from "~/shell/place";

/** Ends the session here, and on the server as far as it answers. */
export async function signOut() {
  await http.POST("/api/v1/auth/logout/").catch(() => undefined);
  session.end();
  forgetPlace();
  queryClient.clear();
}
