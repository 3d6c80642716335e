import type { Credentials } from './net/credentials.js';
import type { Http } from './net/http.js';
import type { Store } from './store/store.js';
import type { EntityKey } from './store/steps.js';
import type { Frame, Platform, SyncEvents } from './types.js';

/** The services that the parts of one device share. */
export interface Context {
  readonly url: string;
  readonly device: string;
  readonly pollMs: number;
  readonly platform: Platform;
  readonly store: Store;
  readonly http: Http;
  readonly credentials: Credentials;
  log(frame: Omit<Frame, 'at'>): void;
  /** Tells this tab and the others that documents changed. */
  changed(keys: readonly EntityKey[]): void;
  /** Tells this tab and the others what happened. */
  broadcast<E extends keyof SyncEvents>(event: E, payload: SyncEvents[E]): void;
  /** Marks the status as stale. */
  invalidate(): void;
}
