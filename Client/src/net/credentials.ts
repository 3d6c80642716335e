import { claims } from '../pure/wire.js';
import type { SyncOptions } from '../types.js';
import { Failure } from './failure.js';

type TokenSource = Exclude<SyncOptions['token'], string>;

const REFRESH_BEFORE_MS = 60_000;

/** The token in use, and where the next one comes from. */
export class Credentials {
  /** Whose tokens count, once that is known. */
  user: string | undefined;
  private token: string | undefined;
  /** The source is told, or it might give the same one again from a cache. */
  private refused: string | undefined;
  private fetchedAt = 0;
  private pending: Promise<string> | undefined;

  constructor(private source: SyncOptions['token'], private readonly now: () => number) {}

  replace(source: SyncOptions['token']): void {
    this.source = source;
    this.token = undefined;
    this.pending = undefined;
  }

  /** The token was refused, or will be. Whether there may be another one. */
  discard(isRefused = false): boolean {
    if (isRefused) this.refused = this.token;
    this.token = undefined;
    return typeof this.source === 'function';
  }

  /** What one user wrote must never go out under another one's token, whatever the app's session says by now. */
  async get(signal?: AbortSignal): Promise<string> {
    const token = await this.#current(signal);
    const { sub } = claims(token);
    // No header holds it, and fetch would say no more than that the network failed.
    if (/[^ -~]/.test(token.trim())) throw new Failure('unauthorized', 'INVALID_TOKEN', 'This is no token.');
    if (this.user && sub && sub !== this.user) throw new Failure('unauthorized', 'OTHER_USER', `The token is of ${sub}.`);
    return token;
  }

  /** Until it is time for a fresh token: a minute before the end, or at half of a short life. NaN if the token never says. */
  msUntilRefresh(): number {
    const { exp, iat } = claims(this.token ?? '') as { exp?: number; iat?: number };
    if (!exp || typeof this.source === 'string') return Number.NaN;
    const margin = Math.min(REFRESH_BEFORE_MS, iat ? ((exp - iat) * 1000) / 2 : Infinity);
    // By a clock that runs ahead every token has ended when it comes. It is used for a while all the same: the server says if it does not
    // count.
    return Math.max(exp * 1000 - margin, this.fetchedAt + margin) - this.now();
  }

  async #current(signal: AbortSignal | undefined): Promise<string> {
    if (typeof this.source === 'string') return this.source;
    if (this.token && !(this.msUntilRefresh() < 0)) return this.token;
    this.pending ??= this.#fetchToken(this.source, signal).finally(() => (this.pending = undefined));
    return this.pending;
  }

  async #fetchToken(source: TokenSource, signal: AbortSignal | undefined): Promise<string> {
    try {
      const token = await Promise.race([source(this.refused), rejectOnAbort(signal)]);
      // Another source was given meanwhile, and this one's word does not count any more.
      if (source !== this.source) return this.#current(signal);
      this.fetchedAt = this.now();
      this.refused = undefined;
      return (this.token = token);
    } catch (error) {
      // An app that cannot reach its own sign-in is offline, not signed out.
      throw error instanceof Failure
        ? error
        : new Failure('later', 'TOKEN_UNAVAILABLE', `The token callback failed: ${(error as Error)?.message ?? error}`);
    }
  }
}

const rejectOnAbort = (signal: AbortSignal | undefined) =>
  new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('no answer in time')), { once: true }));
