import type { Item, Row } from '../pure/merge.js';
import { toPromise, table, type Table } from './database.js';

/** A batch as it was first sent. A retry sends the same bytes under the same key. */
export interface Batch {
  key: string;
  body: string;
  /** The token that it was sent with. */
  proof?: string | null;
  items: number[];
  /** The items as they were sent; absent if the batch was read from the database. An item without a number was never queued. */
  sent?: Item[];
}

/** The position of this device in the user's history. */
export interface Cursor {
  /** The sync token of the last pull; null before the first pull or after a reset. */
  token: string | null;
  /** The newest token of any answer. Writes send it to prove that their base versions belong to this history. */
  proof: string | null;
  /** The highest revision up to which everything is stored, by pull or socket. */
  lastSeq: number;
  /** The ETag of the last pull, valid for `token`. */
  etag?: string | undefined;
}

export interface Tables {
  rows: Table<Row>;
  queue: Table<Item>;
  batches: Table<Batch>;
  meta: Table<unknown>;
}

export const TABLES = ['rows', 'queue', 'batches', 'meta'] as const;

export const tablesFrom = (transaction: IDBTransaction, names: readonly string[], onPut?: () => void): Tables =>
  Object.fromEntries(names.map(name => [name, table(transaction.objectStore(name), onPut)])) as unknown as Tables;

/** The same tables, which store nothing that needs space: a row that would be left without a document is deleted. */
export const deletionsOnly = (tables: Tables): Tables =>
  Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, {
    __proto__: table, put: async ({ type, id, doc, mine }: Row) => type && !doc && !mine && table.delete([type, id]),
  }])) as unknown as Tables;

type Migration = (database: IDBDatabase, transaction: IDBTransaction) => void | Promise<void>;

/** Migration n leads from version n to n + 1. A released migration is never edited, because old databases must still open. */
export const migrations: readonly Migration[] = [
  database => {
    database.createObjectStore('rows', { keyPath: ['type', 'id'] });
    const queue = database.createObjectStore('queue', { keyPath: 'n', autoIncrement: true });
    queue.createIndex('entity', ['type', 'id']);
    database.createObjectStore('meta');
  },
  // An index finds sendable edits without reading parked ones, and batches are stored with their bytes.
  async (database, transaction) => {
    database.createObjectStore('batches', { keyPath: 'key' });
    transaction.objectStore('queue').createIndex('live', 'live');
    const { queue } = tablesFrom(transaction, ['queue']);
    for (const item of await queue.getAll()) await queue.put({ ...item, live: 1 });
  },
];

export interface DatabaseEvents {
  /** Another tab deletes the database or runs a newer version of the app; this connection is closed. */
  onReplaced(): void;
  /** The browser has closed the connection. */
  onClosed(): void;
  /** There was no database of this name. */
  onCreated(): void;
}

export async function openDatabase(
  name: string, events: Partial<DatabaseEvents> = {}, steps: readonly Migration[] = migrations): Promise<IDBDatabase> {
  const request = indexedDB.open(name, steps.length);
  request.onupgradeneeded = async ({ oldVersion }) => {
    if (!oldVersion) events.onCreated?.();
    for (const step of steps.slice(oldVersion)) await step(request.result, request.transaction!);
  };
  const database = await toPromise(request);
  database.onversionchange = () => {
    database.close();
    events.onReplaced?.();
  };
  database.onclose = () => events.onClosed?.();
  return database;
}
