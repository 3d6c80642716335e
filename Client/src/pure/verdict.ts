/**
 * What a failed request means.
 * - later: the server asks to wait. The same request is repeated.
 * - unanswered: there was no answer, or not one of the server. The same request is repeated.
 * - fault: the content is at fault, so the failure counts as one of its attempts.
 * - unauthorized: a new token is needed.
 * - refused: the device stops and tells the user.
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

// Most closes count as one failure: a server that restarts (1012; jitter spreads the clients over a second), a client that read nothing for
// a minute, as a laptop that slept (1013), an expired token (4401), a lost network.
const FAILURES: Readonly<Record<number, number>> = {
  1008: 4, // This client sent too much.
  4403: 2,
  4429: 6, // Another connection of the user took this one's place. The two would take it from each other without end.
};

export const reconnectAfter = (code: number): Reconnect => ({ needsToken: code === 4401 || code === 4403, failures: FAILURES[code] ?? 1 });
