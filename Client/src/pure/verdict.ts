/**
 * What a failed request means.
 * later: the server says so, wait and repeat it as it is · unanswered: no answer, or one that is not the server's; likewise ·
 * fault: the content's own, it counts · unauthorized: a fresh token · refused: stop and tell the user.
 */
export type Verdict = 'later' | 'unanswered' | 'fault' | 'unauthorized' | 'refused';

const BY_STATUS: Readonly<Record<number, Verdict>> = {
  400: 'fault', 401: 'unauthorized', 403: 'refused', 409: 'refused', 413: 'fault', 415: 'fault', 422: 'fault', 500: 'fault',
};

/** Classifies a status. An answer that is not the server's own never counts against the edit, the token or the device. */
export const verdictFor = (status: number, isOurs: boolean): Verdict => (isOurs ? (BY_STATUS[status] ?? 'later') : 'unanswered');

/** Whether a fault may pass: it counts against an edit over minutes only. */
export const isPassing = (code: string): boolean => code === 'INTERNAL' || code === 'UNANSWERED';

/** Whether a retry of the same document may succeed later. */
export const mayPass = (code: string): boolean => code === 'quota' || isPassing(code);

/** How to reconnect after a close code. `needsToken`: with a new token. `failures`: the failed attempts to add for the back-off. */
export interface Reconnect {
  needsToken: boolean;
  failures: number;
}

// As one failure count: a server that restarts (1012: jitter spreads us over a second), that we read nothing from for a minute, as a laptop
// that slept (1013), a token that has ended (4401), a lost network.
const FAILURES: Readonly<Record<number, number>> = {
  1008: 4, // We sent too much: calm down.
  4403: 2,
  4429: 6, // Another of the user's connections took this place: do not take it back at once.
};

export const reconnectAfter = (code: number): Reconnect => ({ needsToken: code === 4401 || code === 4403, failures: FAILURES[code] ?? 1 });
