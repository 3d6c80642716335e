/**
 * What a failed request means.
 * later: nobody's fault, wait and repeat it as it is · fault: the content's own, it counts · unauthorized: a fresh token · refused: stop and tell the user.
 */
export type Verdict = 'later' | 'fault' | 'unauthorized' | 'refused';

const BY_STATUS: Readonly<Record<number, Verdict>> = {
  400: 'fault', 401: 'unauthorized', 403: 'refused', 409: 'refused', 413: 'fault', 415: 'fault', 422: 'fault', 500: 'fault',
};

/** By status alone where nothing else is known: a captive portal, a proxy or a server being deployed answers all sorts of things, and none is the edit's fault. */
export const verdictOf = (status: number, code: string | undefined): Verdict => (status === 413 || code ? (BY_STATUS[status] ?? 'later') : 'later');

/** Reasons of a refused item that may pass by themselves; any other verdict on the very same document would only be repeated. */
export const mayPass = (reason: string): boolean => reason === 'quota';

/** How to come back after a close code. `fresh`: with a new token. `failures`: as if that many attempts had failed already. */
export interface Return {
  fresh: boolean;
  failures: number;
}

const BY_CLOSE_CODE: Readonly<Record<number, Return>> = {
  1008: { fresh: false, failures: 4 }, // We sent too much: calm down.
  1012: { fresh: false, failures: 1 }, // The server restarts, and everybody comes back: jitter spreads us over a second.
  1013: { fresh: false, failures: 1 }, // We had read nothing for a minute, as a laptop that slept.
  4401: { fresh: true, failures: 1 },
  4403: { fresh: true, failures: 2 },
  4429: { fresh: false, failures: 6 }, // Another of the user's connections took this place: do not take it back at once.
};

export const returnAfter = (code: number): Return => BY_CLOSE_CODE[code] ?? { fresh: false, failures: 1 };
