import type { Store } from './store/store.js';
import type { SyncStatus } from './types.js';

/** What the leading tab knows and the others are told. */
export type Led = Pick<SyncStatus, 'connection' | 'queue' | 'offline'>;

interface Readers {
  shown(status: SyncStatus): void;
  /** What the leader tells the others has changed. */
  moved(led: Led): void;
}

/** The status, read again whenever something may have changed it. */
export class StatusBoard {
  status: SyncStatus;
  private reading: Promise<void> | undefined;
  private isStale = false;

  constructor(private readonly store: Store, who: { user: string; device: string }, private readonly standing: () => Led & { leader: boolean }, private readonly readers: Readers) {
    this.status = { ...who, ...standing(), pending: 0, poisoned: 0, revision: 0 };
  }

  stir(): void {
    void this.refresh();
  }

  /** One reading at a time: of two, the older one might come last. */
  refresh(): Promise<void> {
    this.isStale = true;
    this.reading ??= this.readAll().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async read(): Promise<void> {
    const known = await Promise.all([this.store.counts(), this.store.cursor()]).catch(() => undefined);
    const before = this.status;
    const next: SyncStatus = { ...before, ...this.standing(), ...known?.[0], revision: known?.[1].lastSeq ?? before.revision };
    if ((Object.keys(next) as (keyof SyncStatus)[]).every(name => next[name] === before[name])) return;
    this.status = next;
    const { connection, queue, offline } = next;
    if (connection !== before.connection || queue !== before.queue || offline !== before.offline) this.readers.moved({ connection, queue, offline });
    this.readers.shown(next);
  }

  /** What changes while the store is read would be missed: it is read once more. */
  private async readAll(): Promise<void> {
    while (this.isStale) {
      this.isStale = false;
      await this.read();
    }
  }
}
