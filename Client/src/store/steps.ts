import { parkedMs, ATTEMPTS_MAX } from '../pure/batch.js';
import { backoff } from '../pure/backoff.js';
import { toIso, editTime } from '../pure/clock.js';
import { applyRevision, applyResult, withoutBase, withoutItem, applyEdit, type Item } from '../pure/merge.js';
import { isPassing, mayPass } from '../pure/verdict.js';
import type { Outcome, Revision } from '../pure/wire.js';
import type { ConflictReport, Doc, EditError, QueuedEdit } from '../types.js';
import type { UnitOfWork } from './unitOfWork.js';
import type { Batch, Cursor, Tables } from './schema.js';

// The steps of the store's transactions. They await only the database, because any other wait would end the transaction.

// The shortest wait between two attempts after a fault that may pass.
const PASSING_FAULT_WAIT_MS = 30_000;

export type EntityKey = readonly [type: string, id: string];
/** What the app wrote; null deletes. `saw` is the version that was before its author. */
export interface Edit {
  type: string;
  id: string;
  doc: Doc | null;
  baseVersion?: unknown;
}

/** The effects of settling a batch. */
export interface SettledBatch {
  keys: EntityKey[];
  conflicts: ConflictReport[];
  poisoned: QueuedEdit[];
  /** True if the answer names a winner but had no room for its copy. */
  isIncomplete: boolean;
}

export const INITIAL_CURSOR: Cursor = { token: null, proof: null, lastSeq: 0 };

export const readCursor = async (tables: Pick<Tables, 'meta'>): Promise<Cursor> =>
  ((await tables.meta.get('cursor')) as Cursor | undefined) ?? INITIAL_CURSOR;

export async function saveCursor(tables: Tables, cursor: Partial<Cursor>): Promise<void> {
  const before = await readCursor(tables);
  await tables.meta.put({ ...before, ...cursor }, 'cursor');
}

/** Applies and queues an edit, and returns the visible document. */
export function queueEdit(unit: UnitOfWork, edit: Edit, now: number): Doc | null {
  const [row, queue] = [unit.row(edit), unit.queueFor(edit)];
  const at = editTime(now, Math.max(row.at, queue.at(-1)?.at ?? 0));
  const next = applyEdit(row, queue, edit.doc && { ...edit.doc, updatedAt: toIso(at) }, at, edit.baseVersion);
  unit.put(next.row);
  unit.enqueue(next.item as Item);
  return next.item.doc;
}

/** Applies revisions to rows that were read, and returns the changed keys. */
export function applyRevisions(unit: UnitOfWork, revisions: readonly Revision[]): EntityKey[] {
  const keys: EntityKey[] = [];
  for (const revision of revisions) {
    const received = applyRevision(unit.row(revision), revision);
    if (!received) continue;
    unit.put(received);
    keys.push([received.type, received.id]);
  }
  return keys;
}

export const toEntity = ({ type, id, doc, base, at }: Item): object => ({
  type, id, ...(doc ? { data: doc } : { data: { id, deletedAt: toIso(at) }, deleted: true }), ...(base ? { baseVersion: base } : {}),
});

/** The body of a batch. An entity's base version and the token say together what its author had seen. */
export const batchBody = (items: readonly Item[], token: string | null): string =>
  JSON.stringify({ entities: items.map(toEntity), ...(token ? { syncToken: token } : {}) });

/** Removes a batch. Returns false if another tab has removed it already. */
export async function unstage(tables: Tables, batch: Batch): Promise<boolean> {
  const known = await tables.batches.count(batch.key);
  await tables.batches.delete(batch.key);
  return known > 0;
}

/** Reads the items of a batch in the order in which they were sent, which is the order of the answers. */
export async function readItems(tables: Tables, { items }: Batch): Promise<(Item | undefined)[]> {
  if (!items.length) return [];
  const among = await tables.queue.getAll(IDBKeyRange.bound(Math.min(...items), Math.max(...items)));
  const found = new Map(among.map(item => [item.n, item]));
  return items.map(n => found.get(n));
}

export function settleItem(
  unit: UnitOfWork, item: Item, { result, conflict }: Outcome, { now, lastSeq }: { now: number; lastSeq: number },
  settled: SettledBatch): void {
  const row = unit.row(item);
  const settlement = applyResult(row, item, result, conflict?.server, conflict?.reason);
  // Everything up to the cursor is stored. A late answer to an entity that is not stored means that it was deleted since.
  if (!row.at && result.seq && result.seq <= lastSeq) settlement.row = row;
  settled.keys.push([item.type, item.id]);
  settled.isIncomplete ||= result.status === 'conflict' && !conflict?.server;
  unit.put(settlement.row);
  switch (settlement.kind) {
    case 'reapply':
      return requeue(unit, countFailure(settlement.item, { code: 'stale', message: conflict?.message ?? '' }, now, 0), settled.poisoned);
    case 'refused': {
      const error = { code: conflict?.reason ?? 'refused', message: conflict?.message ?? '' };
      return requeue(unit, mayPass(error.code) ? countFailure(item, error, now, 1) : park(item, error, now), settled.poisoned);
    }
    case 'lost':
      settled.conflicts.push({
        type: item.type, id: item.id, reason: conflict?.reason ?? '', message: conflict?.message ?? '', mine: item.doc,
        theirs: settlement.row.doc,
      });
  }
  removeItem(unit, item, settlement.kind === 'stored' ? result.version : undefined);
}

/** Removes the base versions of queued edits, because another epoch's versions mean nothing. The clock decides instead. */
export async function clearBaseVersions(tables: Tables): Promise<void> {
  const { queue } = tables;
  const free = (await queue.getAll()).filter(item => !item.batch);
  await Promise.all(free.map(async item => queue.put({ ...item, doc: withoutBase(item.doc), base: 0 })));
}

/** Removes an item from the queue and from its row. `version` is the version it was stored as, which the row may have passed already. */
export function removeItem(unit: UnitOfWork, item: Item, version?: number): void {
  unit.dequeue(item);
  const rest = unit.queueFor(item);
  unit.put(withoutItem(unit.row(item), rest));
  // The next edit was based on this one, so its base version becomes this one's version.
  for (const next of rest) if (version && (next.revives || next.base === item.base)) unit.enqueue({ ...next, base: version });
}

/**
 * Puts a failed item back into the queue, or parks it. If a later edit of its entity waits, the failed item is dropped instead of parked.
 */
export function requeue(unit: UnitOfWork, failed: Item, poisoned: QueuedEdit[]): void {
  const isParked = failed.live !== 1;
  if (isParked && unit.queueFor(failed).some(other => other.n > failed.n)) return removeItem(unit, failed);
  unit.enqueue(failed);
  // The event `poisoned` names a parked edit once, not after each retry.
  if (isParked && failed.attempts <= ATTEMPTS_MAX) poisoned.push(toQueuedEdit(failed));
}

export const withoutBatch = ({ batch: _, ...item }: Item): Item => item;

export function park(item: Item, error: EditError, now: number): Item {
  const { live: _, ...rest } = withoutBatch(item);
  const attempts = item.attempts + 1;
  return {
    ...rest, attempts, error,
    ...(mayPass(error.code) && { live: 2, attempts: Math.max(attempts, ATTEMPTS_MAX), notBefore: now + parkedMs(attempts) })
  };
}

export function countFailure(item: Item, error: EditError, now: number, random: number): Item {
  const attempts = item.attempts + 1;
  if (attempts >= ATTEMPTS_MAX) return park(item, error, now);
  return {
    ...withoutBatch(item), attempts, error,
    notBefore: now + (isPassing(error.code) ? backoff(ATTEMPTS_MAX + 1, random, PASSING_FAULT_WAIT_MS) : backoff(attempts, random))
  };
}

export const toQueuedEdit = ({ n, type, id, doc, at, attempts, live, error }: Item): QueuedEdit => ({
  n, type, id, doc, at: toIso(at), attempts, state: live === 1 ? 'pending' : 'poisoned', ...(error ? { error } : {}),
});
