import { emptyRow, type Item, type Row } from '../pure/merge.js';
import type { Tables } from './schema.js';

interface EntityRef {
  type: string;
  id: string;
}

const entityKey = ({ type, id }: EntityRef): string => `${type}\0${id}`;
const ignoreError = () => {};

/**
 * The rows and queued items that one transaction works on. They are read together, changed in memory, and written together at the end.
 * A request to the database is a trip to another process: a thousand edits that each wait for their own request take seconds.
 * A write that fails aborts the transaction, and the transaction rejects.
 */
export class UnitOfWork {
  readonly #rows = new Map<string, Row>();
  readonly #queues = new Map<string, Item[]>();
  readonly #changed = new Set<string>();
  readonly #enqueued = new Map<unknown, Item>();

  constructor(private readonly tables: Tables) {}

  /** Reads rows, and their queued items if asked. A row that is not read counts as absent. */
  async read(entities: readonly (EntityRef | undefined)[], withQueues = false): Promise<this> {
    const { rows, queue } = this.tables;
    const unread = new Map(entities.flatMap(entity => (entity ? [[entityKey(entity), entity]] : [])));
    await Promise.all([...unread].map(async ([name, { type, id }]) => {
      if (withQueues) this.#queues.set(name, await queue.index('entity').getAll(IDBKeyRange.only([type, id])));
      if (!this.#rows.has(name)) this.#rows.set(name, (await rows.get([type, id])) ?? emptyRow(type, id));
    }));
    return this;
  }

  row(of: EntityRef): Row {
    return this.#rows.get(entityKey(of)) ?? emptyRow(of.type, of.id);
  }

  /** Returns the queued items of an entity, in order. */
  queueFor(of: EntityRef): readonly Item[] {
    return this.#queues.get(entityKey(of)) ?? [];
  }

  put(row: Row): void {
    const name = entityKey(row);
    this.#rows.set(name, row);
    this.#changed.add(name);
  }

  /** Adds or replaces a queued item. An item without a number is new. A second new item of an entity replaces the first, unsent one. */
  enqueue(item: Item): void {
    const name = entityKey(item);
    const queue = this.queueFor(item);
    const isThere = queue.some(({ n }) => n === item.n);
    this.#queues.set(name, isThere ? queue.map(other => (other.n === item.n ? item : other)) : [...queue, item]);
    this.#enqueued.set(item.n ?? name, item);
  }

  dequeue(item: Item): void {
    this.#queues.set(entityKey(item), this.queueFor(item).filter(other => other.n !== item.n));
    this.#enqueued.delete(item.n);
    if (item.n) this.tables.queue.delete(item.n).catch(ignoreError);
  }

  save(): void {
    for (const name of this.#changed) this.tables.rows.put(this.#rows.get(name)!).catch(ignoreError);
    for (const item of this.#enqueued.values()) this.tables.queue.put(item).catch(ignoreError);
  }
}
