import { blank, type Item, type Row } from '../pure/merge.js';
import type { Key, Transaction } from './steps.js';

export const keyOf = (type: string, id: string): string => `${type}\0${id}`;

/**
 * What one transaction works on: read together, changed in memory, written together at the end. A request to the database is a trip to another
 * process; a thousand edits that each wait for their own take seconds. A write that fails ends the transaction, which says so.
 */
export class Draft {
  private readonly rows = new Map<string, Row>();
  private readonly queues = new Map<string, Item[]>();
  private readonly changed = new Set<string>();
  private readonly enqueued = new Map<string, Item>();

  constructor(private readonly transaction: Transaction) {}

  /** With the rows of these entities, and what is queued for them. */
  static async of(transaction: Transaction, keys: readonly Key[]): Promise<Draft> {
    const draft = new Draft(transaction);
    await Promise.all([draft.read(keys), draft.readQueues(keys)]);
    return draft;
  }

  /** Rows that are not read count as absent. */
  async read(keys: readonly Key[]): Promise<void> {
    const store = this.transaction.objectStore('rows');
    const unread = new Map(keys.map(key => [keyOf(...key), key]));
    await Promise.all([...unread].filter(([name]) => !this.rows.has(name)).map(async ([name, [type, id]]) => {
      const row = await store.get([type, id]);
      if (row) this.rows.set(name, row);
    }));
  }

  private async readQueues(keys: readonly Key[]): Promise<void> {
    const index = this.transaction.objectStore('queue').index('entity');
    const unread = new Map(keys.map(key => [keyOf(...key), key]));
    await Promise.all([...unread].map(async ([name, [type, id]]) => this.queues.set(name, await index.getAll(IDBKeyRange.only([type, id])))));
  }

  row(type: string, id: string): Row {
    return this.rows.get(keyOf(type, id)) ?? blank(type, id);
  }

  /** What is queued for an entity, in order. */
  queueOf(type: string, id: string): readonly Item[] {
    return this.queues.get(keyOf(type, id)) ?? [];
  }

  put(row: Row): void {
    const name = keyOf(row.type, row.id);
    this.rows.set(name, row);
    this.changed.add(name);
  }

  /** Without a number it is new, and goes to the end; a second new one of an entity takes the place of the first, as nobody has seen that. */
  enqueue(item: Item): void {
    const name = keyOf(item.type, item.id);
    const queue = this.queues.get(name) ?? [];
    const place = queue.findIndex(other => other.n === item.n);
    this.queues.set(name, place < 0 ? [...queue, item] : queue.with(place, item));
    this.enqueued.set(item.n ? `${item.n}` : name, item);
  }

  dequeue(item: Item): void {
    const name = keyOf(item.type, item.id);
    this.queues.set(name, this.queueOf(item.type, item.id).filter(other => other.n !== item.n));
    this.enqueued.delete(`${item.n}`);
    void this.transaction.objectStore('queue').delete(item.n).catch(() => {});
  }

  save(): void {
    const rows = this.transaction.objectStore('rows');
    const queue = this.transaction.objectStore('queue');
    for (const name of this.changed) void rows.put(this.rows.get(name)!).catch(() => {});
    for (const item of this.enqueued.values()) void queue.put(item).catch(() => {});
  }
}
