import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from 'idb';
import type { Item, Row } from '../pure/merge.js';

/** A batch as it was first sent. A retry sends the same bytes under the same key. */
export interface Batch {
  key: string;
  body: string;
  items: number[];
}

/** How far this device has come. */
export interface Cursor {
  /** Of the last pull: everything up to it is here. Null: nothing, or nothing that counts. */
  token: string | null;
  /** The newest token of any answer. It goes with writes, to prove that their base versions are of this history. */
  proof: string | null;
  /** The highest revision up to which everything is here, by pull or socket. */
  lastSeq: number;
  /** Of the last pull, good for `token` as it was asked. */
  etag?: string | undefined;
}

export interface Schema extends DBSchema {
  rows: { key: [string, string]; value: Row };
  queue: { key: number; value: Item; indexes: { entity: [string, string]; live: number } };
  batches: { key: string; value: Batch };
  meta: { key: string; value: unknown };
}

export type Database = IDBPDatabase<Schema>;
type Upgrade = (database: Database, transaction: IDBPTransaction<Schema, ('rows' | 'queue' | 'batches' | 'meta')[], 'versionchange'>) => void | Promise<void>;

/** Number n of this list leads from version n to n + 1. What is released is never edited: a queue of last year must survive today's code. */
export const upgrades: readonly Upgrade[] = [
  database => {
    database.createObjectStore('rows', { keyPath: ['type', 'id'] });
    const queue = database.createObjectStore('queue', { keyPath: 'n', autoIncrement: true });
    queue.createIndex('entity', ['type', 'id']);
    database.createObjectStore('meta');
  },
  // What may be sent is found without stepping over what is poisoned; a batch survives with its bytes.
  async (database, transaction) => {
    database.createObjectStore('batches', { keyPath: 'key' });
    const queue = transaction.objectStore('queue');
    queue.createIndex('live', 'live');
    for (let at = await queue.openCursor(); at; at = await at.continue()) await at.update({ ...at.value, live: 1 });
  },
];

export function openDatabase(name: string, gone: () => void, steps: readonly Upgrade[] = upgrades): Promise<Database> {
  return openDB<Schema>(name, steps.length, {
    async upgrade(database, from, _to, transaction) {
      for (const step of steps.slice(from)) await step(database, transaction as never);
    },
    // Another tab deletes the database, or runs a newer version of the app.
    blocking(_current, _blocked, event) {
      (event.target as IDBDatabase).close();
      gone();
    },
    terminated: gone,
  });
}
