import type { Item, Row } from '../pure/merge.js';
import { toPromise } from './database.js';
import { tablesFrom, type Cursor } from './schema.js';
import { readCursor } from './steps.js';

export interface Snapshot {
  rows: Row[];
  queue: Item[];
  cursor: Cursor;
}

/** Reads a database in one transaction, over a connection of its own, so that rows, queue and cursor fit each other. */
export async function readSnapshot(name: string): Promise<Snapshot> {
  const database = await openExisting(name);
  try {
    const tables = ['rows', 'queue', 'meta'];
    const { rows, queue, meta } = tablesFrom(database.transaction(tables, 'readonly'), tables);
    const [all, items, cursor] = await Promise.all([rows.getAll(), queue.getAll(), readCursor({ meta })]);
    return { rows: all, queue: items, cursor };
  } finally {
    database.close();
  }
}

/** A database that was deleted is not made again. */
async function openExisting(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name);
  let isMissing = false;
  request.onupgradeneeded = () => {
    isMissing = true;
    request.transaction!.abort();
  };
  try {
    return await toPromise(request);
  } catch (error) {
    throw isMissing ? new Error('The data of this device was deleted.') : error;
  }
}
