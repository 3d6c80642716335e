import type { Store } from './store/store.js';
import type { SyncStatus } from './types.js';

/** The part of the status that only the leader knows and that it sends to the followers. */
export type LeaderState = Pick<SyncStatus, 'connection' | 'queue' | 'offline' | 'full'>;

/** Caches the status and reads it again after each invalidation. */
export class StatusCache {
  status: SyncStatus;
  #reading: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(
    private readonly store: Store, identity: { user: string; device: string },
    private readonly readState: () => LeaderState & { leader: boolean },
    private readonly onStatus: (status: SyncStatus, before: SyncStatus) => void) {
    this.status = { ...identity, ...readState(), pending: 0, poisoned: 0, revision: 0 };
  }

  invalidate(): void {
    void this.refresh();
  }

  /** Resolves after a reading that began after the call. One reads at a time, because an older reading could finish after a newer one. */
  refresh(): Promise<void> {
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined;
      return (this.#reading = this.#read());
    });
    return this.#next;
  }

  async #read(): Promise<void> {
    const [counts, cursor] = await Promise.all([this.store.counts(), this.store.cursor()]).catch(() => []);
    const before = this.status;
    const next: SyncStatus = { ...before, ...this.readState(), ...counts, revision: cursor?.lastSeq ?? before.revision };
    if ((Object.keys(next) as (keyof SyncStatus)[]).every(name => next[name] === before[name])) return;
    this.status = next;
    this.onStatus(next, before);
  }
}
