import { claims } from '../pure/wire.js';
import type { SyncOptions } from '../types.js';
import { Failure } from './failure.js';

type TokenSource = Exclude<SyncOptions['token'], string>;

const REFRESH_BEFORE_MS = 60_000;

/** Holds the current token and fetches the next one. */
export class Credentials {
  /** The only user whose tokens are accepted, once known. */
  user: string | undefined;
  #token: string | undefined;
  /** Passed to the token callback, which could otherwise return the same token from a cache. */
  #refused: string | undefined;
  #fetchedAt = 0;
  #pending: Promise<string> | undefined;

  constructor(private source: SyncOptions['token'], private readonly now: () => number) {}

  replace(source: SyncOptions['token']): void {
    this.source = source;
    this.#token = undefined;
    this.#pending = undefined;
  }

  /** Discards the token. Returns whether the source can provide another one. */
  discard(isRefused = false): boolean {
    if (isRefused) this.#refused = this.#token;
    this.#token = undefined;
    return typeof this.source === 'function';
  }

  /** Rejects a token of another user, so that one user's edits are never sent as another's. */
  async get(signal?: AbortSignal): Promise<string> {
    const token = await this.#current(signal);
    const { sub } = claims(token);
    // A header cannot hold such a token, and fetch would report it as a network failure.
    if (/[^ -~]/.test(token.trim())) {
      throw new Failure('unauthorized', 'INVALID_TOKEN', 'The token is no JWT.');
    }
    if (this.user && sub && sub !== this.user) {
      throw new Failure('unauthorized', 'OTHER_USER', `The token belongs to ${sub}. Pass a token of ${this.user}.`);
    }
    return token;
  }

  /**
   * Returns the time until the token must be replaced: one minute before it expires, or half of a short lifetime. NaN if the token has no
   * expiry.
   */
  msUntilRefresh(): number {
    const { exp, iat } = claims(this.#token ?? '') as { exp?: number; iat?: number };
    if (!exp || typeof this.source === 'string') return NaN;
    const margin = Math.min(REFRESH_BEFORE_MS, iat ? ((exp - iat) * 1000) / 2 : Infinity);
    // A clock that runs ahead sees each token as expired. The token is used for a while anyway, because the server decides.
    return Math.max(exp * 1000 - margin, this.#fetchedAt + margin) - this.now();
  }

  async #current(signal: AbortSignal | undefined): Promise<string> {
    if (typeof this.source === 'string') return this.source;
    if (this.#token && !(this.msUntilRefresh() < 0)) return this.#token;
    this.#pending ??= this.#fetchToken(this.source, signal).finally(() => (this.#pending = undefined));
    return this.#pending;
  }

  async #fetchToken(source: TokenSource, signal: AbortSignal | undefined): Promise<string> {
    try {
      const token = await Promise.race([source(this.#refused), rejectOnAbort(signal)]);
      // The app has set another token source meanwhile, so this token is ignored.
      if (source !== this.source) return this.#current(signal);
      this.#fetchedAt = this.now();
      this.#refused = undefined;
      return (this.#token = token);
    } catch (error) {
      // A token callback that fails means offline, not signed out.
      throw error instanceof Failure
        ? error
        : new Failure('later', 'TOKEN_UNAVAILABLE', `The token callback failed: ${(error as Error)?.message ?? error}`);
    }
  }
}

const rejectOnAbort = (signal: AbortSignal | undefined) =>
  new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('timed out')), { once: true }));
