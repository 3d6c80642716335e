import { ATTEMPTS_MAX } from '../pure/batch.js';
import { backoff } from '../pure/backoff.js';
import { iso, witness } from '../pure/clock.js';
import { blank, receive, settle, unbased, uncover, write, type Item } from '../pure/merge.js';
import { mayPass } from '../pure/verdict.js';
import type { Outcome, Revision } from '../pure/wire.js';
import type { ConflictReport, Doc, EditError, QueuedEdit } from '../types.js';
import type { Batch, Cursor, Database } from './schema.js';

// Steps of the store's transactions. They await nothing but the database, or the transaction would end under them.

export type Key = readonly [type: string, id: string];
/** What the app wrote; null deletes. `saw` is the version that was before its author. */
export interface Edit {
  type: string;
  id: string;
  doc: Doc | null;
  saw?: unknown;
}

export type Transaction = ReturnType<typeof begin>;

/** What settling a batch brought about. */
export interface Settled {
  keys: Key[];
  conflicts: ConflictReport[];
  poisoned: QueuedEdit[];
  /** The latest moment among what came. */
  latest: number;
}

export const nowhere: Cursor = { token: null, proof: null, lastSeq: 0 };

export const begin = (database: Database) => database.transaction(['rows', 'queue', 'batches', 'meta'], 'readwrite');

const rowOf = async (transaction: Transaction, type: string, id: string) => (await transaction.objectStore('rows').get([type, id])) ?? blank(type, id);

const queuedFor = (transaction: Transaction, type: string, id: string): Promise<Item[]> =>
  transaction.objectStore('queue').index('entity').getAll(IDBKeyRange.only([type, id]));

export const clockOf = async (transaction: Transaction): Promise<number> => ((await transaction.objectStore('meta').get('clock')) as number | undefined) ?? 0;

export const cursorOf = async (transaction: Transaction): Promise<Cursor> => ((await transaction.objectStore('meta').get('cursor')) as Cursor | undefined) ?? nowhere;

export async function move(transaction: Transaction, cursor: Partial<Cursor>): Promise<void> {
  const before = await cursorOf(transaction);
  await transaction.objectStore('meta').put({ ...before, ...cursor }, 'cursor');
}

export async function queueEdit(transaction: Transaction, edit: Edit, at: number): Promise<Doc | null> {
  const row = await rowOf(transaction, edit.type, edit.id);
  const next = write(row, await queuedFor(transaction, edit.type, edit.id), edit.doc, at, edit.saw);
  await transaction.objectStore('rows').put(next.row);
  await transaction.objectStore('queue').put(next.item as Item);
  return next.item.doc;
}

/** Merges what came, and returns what changed. */
export async function take(transaction: Transaction, revisions: readonly Revision[]): Promise<Key[]> {
  const keys: Key[] = [];
  const before = new Map<string, Promise<void>>();
  const takeOne = async (revision: Revision) => {
    const row = await rowOf(transaction, revision.type, revision.id);
    const received = receive(row, revision);
    if (!received) return;
    await transaction.objectStore('rows').put(received);
    keys.push([row.type, row.id]);
  };
  // Only those of one entity wait for each other.
  for (const revision of revisions) {
    const entity = `${revision.type}\0${revision.id}`;
    before.set(entity, before.get(entity)?.then(() => takeOne(revision)) ?? takeOne(revision));
  }
  await Promise.all(before.values());
  await see(transaction, revisions.reduce((latest, revision) => witness(latest, revision.at), 0));
  return keys;
}

/** The body of a batch. An entity's base version and the token say together what its author had seen. */
export function bodyOf(items: readonly Item[], token: string | null): string {
  const entities = items.map(({ type, id, doc, base, at }) => ({
    type, id, ...(doc ? { data: doc } : { data: { id, deletedAt: iso(at) }, deleted: true }), ...(base ? { baseVersion: base } : {}),
  }));
  return JSON.stringify({ entities, ...(token ? { syncToken: token } : {}) });
}

/** Whether the batch was still there to be taken away. */
export async function unstage(transaction: Transaction, batch: Batch): Promise<boolean> {
  const known = await transaction.objectStore('batches').getKey(batch.key);
  await transaction.objectStore('batches').delete(batch.key);
  return known !== undefined;
}

/** In the order they were sent in, which is that of their answers. */
export const itemsOf = (transaction: Transaction, batch: Batch): Promise<(Item | undefined)[]> =>
  Promise.all(batch.items.map(n => transaction.objectStore('queue').get(n)));

/** The clock has seen this moment, too. */
export async function see(transaction: Transaction, moment: number): Promise<void> {
  const seen = await clockOf(transaction);
  if (witness(seen, moment) > seen) await transaction.objectStore('meta').put(witness(seen, moment), 'clock');
}

export async function settleItem(transaction: Transaction, item: Item, { result, conflict }: Outcome, { now, lastSeq }: { now: number; lastSeq: number }, settled: Settled): Promise<void> {
  const row = await rowOf(transaction, item.type, item.id);
  const settlement = settle(row, item, result, conflict?.server, conflict?.reason);
  // Everything up to the cursor is here. What that holds nothing of was deleted since, and the answer was long on its way.
  if (!row.at && result.seq && result.seq <= lastSeq) settlement.row = row;
  settled.keys.push([item.type, item.id]);
  settled.latest = Math.max(settled.latest, settlement.row.at);
  await transaction.objectStore('rows').put(settlement.row);
  switch (settlement.kind) {
    case 'reapply':
      return putBack(transaction, failedOnce(settlement.item, { code: 'stale', message: conflict?.message ?? '' }, now, 0), settled.poisoned);
    case 'refused': {
      const error = { code: conflict?.reason ?? 'refused', message: conflict?.message ?? '' };
      return putBack(transaction, mayPass(error.code) ? failedOnce(item, error, now, 1) : parked(item, error), settled.poisoned);
    }
    case 'lost':
      settled.conflicts.push({
        type: item.type, id: item.id, reason: conflict?.reason ?? '', message: conflict?.message ?? '', mine: item.doc, theirs: settlement.row.doc,
      });
  }
  await remove(transaction, item, settlement.kind === 'stored' ? result.version : undefined);
}

/** What waits is judged by the clock: in another life of the history the version it was made from may be another one's. */
export async function unbaseQueue(transaction: Transaction): Promise<void> {
  const queue = transaction.objectStore('queue');
  for (const item of await queue.getAll()) if (!item.batch) await queue.put({ ...item, doc: unbased(item.doc), base: 0 });
}

/** Takes an item out of the queue, and what it showed off the row. `version` is the one it was stored as, which need not be the row's any more. */
export async function remove(transaction: Transaction, item: Item, version?: number): Promise<void> {
  const queue = transaction.objectStore('queue');
  await queue.delete(item.n);
  const row = await rowOf(transaction, item.type, item.id);
  const rest = await queuedFor(transaction, item.type, item.id);
  await transaction.objectStore('rows').put(uncover(row, rest));
  // The next edit was made on top of this one, and now names it.
  for (const next of rest) if (version && next.base === item.base) await queue.put({ ...next, base: version });
}

/** Back into the queue, or aside, poisoned. Instead of being set aside an edit is given up if a later one of its entity replaces it: that one is what the user wants, and shows. */
export async function putBack(transaction: Transaction, failed: Item, poisoned: QueuedEdit[]): Promise<void> {
  const isReplaced = async () => (await queuedFor(transaction, failed.type, failed.id)).some(other => other.n > failed.n);
  if (!failed.live && (await isReplaced())) return remove(transaction, failed);
  await transaction.objectStore('queue').put(failed);
  if (!failed.live) poisoned.push(listed(failed));
}

const released = ({ batch: _, ...item }: Item): Item => item;

function parked(item: Item, error: EditError): Item {
  const { live: _, ...rest } = released(item);
  return { ...rest, attempts: item.attempts + 1, error };
}

export function failedOnce(item: Item, error: EditError, now: number, random: number): Item {
  const attempts = item.attempts + 1;
  return attempts >= ATTEMPTS_MAX ? parked(item, error) : { ...released(item), attempts, error, notBefore: now + backoff(attempts, random) };
}

export const listed = ({ n, type, id, doc, at, attempts, live, error }: Item): QueuedEdit => ({
  n, type, id, doc, at: iso(at), attempts, state: live ? 'pending' : 'poisoned', ...(error ? { error } : {}),
});
