import type { Store } from './store/store.js';
import type { SyncStatus } from './types.js';

/** The part of the status that only the leader knows and that it sends to the followers. */
export type LeaderState = Pick<SyncStatus, 'connection' | 'queue' | 'offline' | 'full'>;

/** Caches the status and reads it again after each invalidation. */
export class StatusCache {
  status: SyncStatus;
  #reading: Promise<void> | undefined;
  #isStale = false;

  constructor(
    private readonly store: Store, identity: { user: string; device: string },
    private readonly readState: () => LeaderState & { leader: boolean },
    private readonly onStatus: (status: SyncStatus, before: SyncStatus) => void) {
    this.status = { ...identity, ...readState(), pending: 0, poisoned: 0, revision: 0 };
  }

  invalidate(): void {
    void this.refresh();
  }

  /** Reads once at a time, because an older reading could finish after a newer one. */
  refresh(): Promise<void> {
    this.#isStale = true;
    this.#reading ??= this.#readUntilFresh().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #read(): Promise<void> {
    const [counts, cursor] = await Promise.all([this.store.counts(), this.store.cursor()]).catch(() => []);
    const before = this.status;
    const next: SyncStatus = { ...before, ...this.readState(), ...counts, revision: cursor?.lastSeq ?? before.revision };
    if ((Object.keys(next) as (keyof SyncStatus)[]).every(name => next[name] === before[name])) return;
    this.status = next;
    this.onStatus(next, before);
  }

  /** Reads again if the status was invalidated during a reading. */
  async #readUntilFresh(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      await this.#read();
    }
  }
}
