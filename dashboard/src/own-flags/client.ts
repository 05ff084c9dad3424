/**
 * Asks for the dashboard's own flags, as any SDK would.
 *
 * Where they are is told by the server; who is asked for is whoever is signed in. Nothing waits for an answer: until there
 * is one, everything is as it was told last in this browser, or by default.
 */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { api, queryClient, type Schema } from "~/api/client";
import { setReadOnly } from "~/api/read-only";
import { useSignedIn } from "~/api/session";
import { DEFAULTS, type FlagState, type FlagStates, type OwnFlag, statesOf } from "./flags";

/** What the server tells its dashboard before anybody has signed in. */
export interface Overrides {
  /** The client-side key to ask with. */
  flagsmith: string | null;
  flagsmithClientAPI: string | null;
  preventSignup: boolean;
  superUserCreateOnly: boolean;
  hideInviteLinks: boolean;
  maintenance: boolean;
}

/** Who is asked for. */
export interface Subject {
  identifier: string;
  traits: Record<string, string | boolean>;
}

/** What was told: the flags, and what is known of who asked. */
export interface Told {
  states: FlagStates;
  traits: Record<string, unknown>;
}

const OVERRIDES = "/config/project-overrides";
const LAST = "burgee-own-flags";
const FRESH = 60_000;

async function json(request: Promise<Response>): Promise<unknown> {
  const response = await request;
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return response.json();
}

/** The flags of everybody, or of somebody, whose traits are told on the way. */
export async function ask(url: string, key: string, subject?: Subject): Promise<Told> {
  const headers = { "X-Environment-Key": key, Accept: "application/json" };
  if (!subject) return { states: statesOf(await json(fetch(`${url}flags/`, { headers }))), traits: {} };
  const traits = Object.entries(subject.traits).map(([trait_key, trait_value]) => ({
    trait_key,
    trait_value,
  }));
  const answer = (await json(
    fetch(`${url}identities/`, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify({ identifier: subject.identifier, traits }),
    }),
  )) as { flags: unknown; traits?: { trait_key: string; trait_value: unknown }[] };
  const known = (answer.traits ?? []).map((one) => [one.trait_key, one.trait_value]);
  return { states: statesOf(answer.flags), traits: { ...subject.traits, ...Object.fromEntries(known) } };
}

/** What was told last in this browser. */
export function lastTold(): FlagStates {
  try {
    const last = JSON.parse(localStorage.getItem(LAST) ?? "null");
    return last && typeof last === "object" ? { ...DEFAULTS, ...last } : DEFAULTS;
  } catch {
    return DEFAULTS;
  }
}

function remember(states: FlagStates | undefined) {
  try {
    if (states) localStorage.setItem(LAST, JSON.stringify(states));
    else localStorage.removeItem(LAST);
  } catch {
    // Without storage the next visit begins with the defaults.
  }
}

export function useOverrides(): Partial<Overrides> {
  const query = useQuery({
    queryKey: [OVERRIDES],
    queryFn: async () => {
      const overrides = (await json(
        fetch(OVERRIDES, { headers: { Accept: "application/json" } }),
      )) as Overrides;
      if (!overrides.flagsmith) remember(undefined);
      return overrides;
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });
  return query.data ?? {};
}

/** Whoever is signed in, as the flags know him. */
function useSubject(): Subject | undefined {
  const enabled = useSignedIn();
  const me = api.useQuery("get", "/api/v1/auth/users/me/", {}, { staleTime: FRESH, enabled }).data;
  const organisations = api.useQuery(
    "get",
    "/api/v1/organisations/",
    { params: { query: { page_size: 999 } } },
    { enabled },
  ).data;
  return useMemo(
    () => (me && organisations ? subjectOf(me, organisations.results) : undefined),
    [me, organisations],
  );
}

export function subjectOf(me: Schema<"Me">, organisations: { id: number }[]): Subject {
  return {
    identifier: String(me.id),
    traits: {
      email: me.email,
      is_superuser: me.is_superuser,
      organisations: organisations.map(({ id }) => `"${id}"`).join(","),
    },
  };
}

function useTold() {
  const { flagsmith: key, flagsmithClientAPI } = useOverrides();
  const url = flagsmithClientAPI ?? "/api/v1/";
  const isSignedIn = useSignedIn();
  const subject = useSubject();
  const queryKey = useMemo(
    () => [LAST, url, key, isSignedIn ? subject?.identifier : null],
    [url, key, isSignedIn, subject],
  );
  const query = useQuery({
    queryKey,
    queryFn: async () => {
      const told = await ask(url, key ?? "", subject);
      remember(told.states);
      return told;
    },
    enabled: Boolean(key) && (!isSignedIn || subject !== undefined),
    staleTime: FRESH,
    placeholderData: keepPreviousData,
    retry: false,
  });
  return { key, url, subject, queryKey, told: key === null ? undefined : query.data };
}

/** All own flags as they are for whoever is signed in. */
export function useOwnFlags(): FlagStates {
  const { key, told } = useTold();
  // Without a key there is nobody to ask; as long as nothing is known of one, there may be.
  return useMemo(() => (key === null ? DEFAULTS : (told?.states ?? lastTold())), [key, told]);
}

export function useOwnFlag(name: OwnFlag): FlagState {
  return useOwnFlags()[name];
}

export function useIsOn(name: OwnFlag): boolean {
  return useOwnFlag(name).enabled;
}

/** A trait of whoever is signed in, as far as the flags know it, and a way to set it. */
export function useTrait(name: string): [unknown, (value: string) => Promise<void>] {
  const { key, url, subject, queryKey, told } = useTold();
  const set = async (value: string) => {
    if (!key || !subject) return;
    // At once, whatever the server makes of it.
    queryClient.setQueryData(
      queryKey,
      (told: Told | undefined) => told && { ...told, traits: { ...told.traits, [name]: value } },
    );
    const traits = { ...subject.traits, [name]: value };
    const answer = await ask(url, key, { ...subject, traits }).catch(() => undefined);
    if (answer) queryClient.setQueryData(queryKey, answer);
  };
  return [told?.traits[name], set];
}

/** Has the API client refuse to write while the dashboard only reads. */
export function useReadOnly(): boolean {
  const isOn = useIsOn("read_only_mode");
  useEffect(() => setReadOnly(isOn), [isOn]);
  return isOn;
}
