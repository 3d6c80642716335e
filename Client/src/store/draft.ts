import { blank, type Item, type Row } from '../pure/merge.js';
import type { Key, Transaction } from './steps.js';

const nameOf = (type: string, id: string): string => `${type}\0${id}`;
const unheeded = () => {};

/**
 * What one transaction works on: read together, changed in memory, written together at the end. A request to the database is a trip to another
 * process; a thousand edits that each wait for their own take seconds. A write that fails ends the transaction, which says so.
 */
export class Draft {
  private readonly rows = new Map<string, Row>();
  private readonly queues = new Map<string, Item[]>();
  private readonly changed = new Set<string>();
  private readonly enqueued = new Map<unknown, Item>();

  constructor(private readonly transaction: Transaction) {}

  /** Rows that are not read count as absent. */
  async read(keys: readonly Key[], withQueues = false): Promise<this> {
    const [rows, queue] = [this.transaction.objectStore('rows'), this.transaction.objectStore('queue')];
    const unread = new Map(keys.map(key => [nameOf(...key), key]));
    await Promise.all([...unread].map(async ([name, [type, id]]) => {
      if (withQueues) this.queues.set(name, await queue.index('entity').getAll(IDBKeyRange.only([type, id])));
      if (!this.rows.has(name)) this.rows.set(name, (await rows.get([type, id])) ?? blank(type, id));
    }));
    return this;
  }

  row(type: string, id: string): Row {
    return this.rows.get(nameOf(type, id)) ?? blank(type, id);
  }

  /** What is queued for an entity, in order. */
  queueOf(type: string, id: string): readonly Item[] {
    return this.queues.get(nameOf(type, id)) ?? [];
  }

  put(row: Row): void {
    const name = nameOf(row.type, row.id);
    this.rows.set(name, row);
    this.changed.add(name);
  }

  /** Without a number it is new, and goes to the end; a second new one of an entity takes the place of the first, as nobody has seen that. */
  enqueue(item: Item): void {
    const name = nameOf(item.type, item.id);
    const queue = this.queueOf(item.type, item.id);
    const isThere = queue.some(({ n }) => n === item.n);
    this.queues.set(name, isThere ? queue.map(other => (other.n === item.n ? item : other)) : [...queue, item]);
    this.enqueued.set(item.n ?? name, item);
  }

  dequeue({ n, type, id }: Item): void {
    this.queues.set(nameOf(type, id), this.queueOf(type, id).filter(other => other.n !== n));
    this.enqueued.delete(n);
    this.transaction.objectStore('queue').delete(n).catch(unheeded);
  }

  save(): void {
    for (const name of this.changed) this.transaction.objectStore('rows').put(this.rows.get(name)!).catch(unheeded);
    for (const item of this.enqueued.values()) this.transaction.objectStore('queue').put(item).catch(unheeded);
  }
}
