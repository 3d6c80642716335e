import type { Verdict } from '../pure/verdict.js';

/** A request that was not answered as hoped. */
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

export const offline = (message = 'This device is offline.'): Failure => new Failure('later', 'OFFLINE', message);

export const unreachable = (why: string, status = 0): Failure => new Failure('unanswered', 'OFFLINE', why, status);

/** A proxy or a captive network answers all sorts of things with 200, and some of it is JSON. */
export const unknownAnswer = (): Failure => new Failure('unanswered', 'UNKNOWN_ANSWER', 'This is no answer of a sync server.');

/** Errors that are not the network's, such as a full disk, are told apart by their name. */
export const isQuota = (error: unknown): boolean => (error as Error | undefined)?.name === 'QuotaExceededError';
