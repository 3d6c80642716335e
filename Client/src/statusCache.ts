import type { Store } from './store/store.js';
import type { SyncStatus } from './types.js';

/** What the leading tab knows and the others are told. */
export type LeaderState = Pick<SyncStatus, 'connection' | 'queue' | 'offline'>;

interface StatusListener {
  onStatus(status: SyncStatus): void;
  /** What the leader tells the others has changed. */
  onLeaderState(led: LeaderState): void;
}

/** The status, read again whenever something may have changed it. */
export class StatusCache {
  status: SyncStatus;
  private reading: Promise<void> | undefined;
  private isStale = false;

  constructor(
    private readonly store: Store, identity: { user: string; device: string },
    private readonly readState: () => LeaderState & { leader: boolean }, private readonly listener: StatusListener) {
    this.status = { ...identity, ...readState(), pending: 0, poisoned: 0, revision: 0 };
  }

  invalidate(): void {
    void this.refresh();
  }

  /** One reading at a time: of two, the older one might come last. */
  refresh(): Promise<void> {
    this.isStale = true;
    this.reading ??= this.#readUntilFresh().finally(() => (this.reading = undefined));
    return this.reading;
  }

  async #read(): Promise<void> {
    const known = await Promise.all([this.store.counts(), this.store.cursor()]).catch(() => undefined);
    const before = this.status;
    const next: SyncStatus = { ...before, ...this.readState(), ...known?.[0], revision: known?.[1].lastSeq ?? before.revision };
    if ((Object.keys(next) as (keyof SyncStatus)[]).every(name => next[name] === before[name])) return;
    this.status = next;
    const { connection, queue, offline } = next;
    if (
      connection !== before.connection
        || queue !== before.queue
        || offline !== before.offline) this.listener.onLeaderState({ connection, queue, offline });
    this.listener.onStatus(next);
  }

  /** What changes while the store is read would be missed: it is read once more. */
  async #readUntilFresh(): Promise<void> {
    while (this.isStale) {
      this.isStale = false;
      await this.#read();
    }
  }
}
