import type { Verdict } from '../pure/verdict.js';

/** A request that failed, with what the failure means. */
export class Failure extends Error {
  override readonly name = 'SyncFailure';

  constructor(
    readonly verdict: Verdict,
    readonly code: string,
    message: string,
    readonly status = 0,
    readonly retryAfterMs = 0,
  ) {
    super(message);
  }
}

export const offline = (message = 'This device is offline. Call goOnline().'): Failure => new Failure('later', 'OFFLINE', message);

export const unreachable = (why: string, status = 0): Failure => new Failure('unanswered', 'OFFLINE', why, status);

/** A proxy or a captive portal may answer 200 with anything, JSON included. */
export const unknownAnswer = (): Failure =>
  new Failure('unanswered', 'UNKNOWN_ANSWER', 'No sync server answers. Check `url`.');

/** How long the server asked to wait. */
export const retryAfter = (error: unknown): number => (error as Partial<Failure> | undefined)?.retryAfterMs ?? 0;
