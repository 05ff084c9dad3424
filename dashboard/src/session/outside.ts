/** Going to a provider and coming back: what came back must belong to what this browser began. */
const STATE = "burgee-provider-state";

/** The address to go to, with a mark that only this browser knows. */
export function departing(url: string): string {
  const state = crypto.randomUUID();
  sessionStorage.setItem(STATE, state);
  const target = new URL(url);
  target.searchParams.set("state", state);
  return target.toString();
}

/** Whether the mark is the one this browser left with. It counts once. */
export function hasReturned(state: string | null): boolean {
  const expected = sessionStorage.getItem(STATE);
  sessionStorage.removeItem(STATE);
  return expected !== null && expected === state;
}
