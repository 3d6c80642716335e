import { claims } from '../pure/wire.js';
import type { SyncOptions } from '../types.js';
import { Failure } from './failure.js';

const MARGIN_MS = 60_000;

/** The token in use, and where the next one comes from. */
export class Credentials {
  private token: string | undefined;
  private asking: Promise<string> | undefined;

  constructor(private source: SyncOptions['token'], private readonly now: () => number) {}

  replace(source: SyncOptions['token']): void {
    this.source = source;
    this.token = undefined;
  }

  /** The token was refused, or will be. Whether there may be another one. */
  drop(): boolean {
    this.token = undefined;
    return typeof this.source === 'function';
  }

  async get(): Promise<string> {
    if (typeof this.source === 'string') return this.source;
    if (this.token && !(this.msLeft() < 0)) return this.token;
    this.asking ??= this.ask(this.source).finally(() => (this.asking = undefined));
    return this.asking;
  }

  /** Until it is time for a fresh token: a minute before the end, or at half of a short life. NaN if the token never says. */
  msLeft(): number {
    const { exp, iat } = claims(this.token ?? '') as { exp?: number; iat?: number };
    if (!exp || typeof this.source === 'string') return Number.NaN;
    const life = iat ? (exp - iat) * 1000 : Infinity;
    return exp * 1000 - Math.min(MARGIN_MS, life / 2) - this.now();
  }

  private async ask(source: () => string | Promise<string>): Promise<string> {
    try {
      this.token = await source();
      return this.token;
    } catch (error) {
      // An app that cannot reach its own sign-in is offline, not signed out.
      throw error instanceof Failure ? error : new Failure('later', 'TOKEN_UNAVAILABLE', `The token callback failed: ${(error as Error)?.message ?? error}`);
    }
  }
}
