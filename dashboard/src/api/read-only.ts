/** Whether the dashboard changes anything. What signs in and out is no change, and neither is what an SDK would ask. */
import { ApiError } from "./error";

let readOnly = false;

export function setReadOnly(isOn: boolean) {
  readOnly = isOn;
}

/** Fails for a request that would change something while nothing is to change. */
export function refuseChanges(request: Request) {
  const isRead = request.method === "GET" || request.method === "HEAD";
  const isNoChange = request.headers.has("X-Environment-Key") || /\/api\/v1\/auth\//.test(request.url);
  if (readOnly && !isRead && !isNoChange) {
    throw new ApiError(403, { detail: "The dashboard is read-only for now: nothing was changed." });
  }
}
