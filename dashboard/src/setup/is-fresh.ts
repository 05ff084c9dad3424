import { api } from "~/api/client";
import { statusOf } from "~/api/error";

/** Whether nobody has signed up on this installation yet, so that its administrator can still be made. */
export function useIsFresh() {
  const query = api.useQuery(
    "get",
    "/api/v1/users/config/init/",
    { parseAs: "text" },
    { retry: false, staleTime: 0 },
  );
  const isClosed = statusOf(query.error) === 404;
  return {
    ...query,
    data: query.data !== undefined ? true : isClosed ? false : undefined,
    error: isClosed ? null : query.error,
  };
}
