import { isPassing, mayPass } from '../pure/verdict.js';
import type { UnitOfWork } from './unitOfWork.js';
import type { Batch, Cursor, Tables } from './schema.js';
import { toIso, editTime } from '../pure/clock.js';
import { backoff } from '../pure/backoff.js';
import type { Outcome, Revision } from '../pure/wire.js';
import { parkedMs, ATTEMPTS_MAX } from '../pure/batch.js';
import { applyRevision, applyResult, withoutBase, withoutItem, applyEdit, type Item, type Row } from '../pure/merge.js';
import type { Doc, EditError, QueuedEdit, SyncEvents } from '../types.js';

// The steps of the store's transactions. They await only the database, because any other wait would end the transaction.

// The shortest wait between two attempts after a fault that may pass.
const PASSING_FAULT_WAIT_MS = 30_000;

export type EntityKey = readonly [type: string, id: string];
/** What the app wrote; null deletes. `baseVersion` is the version that its author saw. */
export interface Edit {
  type: string;
  id: string;
  doc: Doc | null;
  baseVersion?: unknown;
}

/** An event and its payload. */
export type Report = { [E in keyof SyncEvents]: [event: E, payload: SyncEvents[E]] }[keyof SyncEvents];

/** The effects of settling a batch. */
export interface SettledBatch {
  keys: EntityKey[];
  events: Report[];
  /** True if the answer names a winner but had no room for its copy, or if this device was too full to store the answer. */
  isIncomplete: boolean;
}

/** How a device merges; see merging.ts. */
export interface Merging {
  /** Sent with each batch. */
  readonly headers: Record<string, string>;
  /** Puts an edit on top of what this device has, if it was made on an earlier copy. */
  place(unit: UnitOfWork, edit: Edit): Edit;
  /** Takes an answer into account before its item leaves the queue. `before` is the row as it was. */
  settle(unit: UnitOfWork, before: Row, item: Item, outcome: Outcome, settled: SettledBatch): void;
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

/** An item in the form of a batch. JSON leaves out undefined members. */
export const toEntity = ({ type, id, doc, base, at }: Item): object =>
  ({ type, id, data: doc ?? { id, deletedAt: toIso(at) }, deleted: doc ? undefined : true, baseVersion: base || undefined });

/** The body of a batch. An entity's base version and the token together tell what its author had seen. */
export const batchBody = (items: readonly Item[], token: string | null): string =>
  JSON.stringify({ entities: items.map(toEntity), syncToken: token ?? undefined });

/**
 * Removes a batch. Returns its items in the order in which they were sent, which is the order of the answers; none if another tab has
 * removed the batch already.
 */
export async function unstage(tables: Tables, { key, items, sent }: Batch): Promise<(Item | undefined)[]> {
  const known = sent ?? (await tables.batches.count(key));
  await tables.batches.delete(key);
  if (!known) return [];
  const among = await tables.queue.getAll(IDBKeyRange.bound(Math.min(...items), Math.max(...items)));
  const found = new Map(among.map(item => [item.n, item]));
  // Another tab may have settled an item. If a full device did not store the batch, a later edit may have replaced it and must be sent.
  return sent?.map(item => (!item.n || found.get(item.n)!?.at <= item.at ? item : undefined)) ?? items.map(n => found.get(n));
}

export function settleItem(
  unit: UnitOfWork, item: Item, outcome: Outcome, now: number, answered: number, lastSeq: number, settled: SettledBatch,
  merging?: Merging): void {
  const { result, conflict } = outcome;
  const { reason = '', message = '' } = conflict ?? {};
  const row = unit.row(item);
  const settlement = applyResult(row, item, result, conflict?.server, reason);
  // Everything up to the cursor is stored. A late answer to an entity that is not stored means that it was deleted since.
  if (!row.at && ((result.seq ?? answered) || Infinity) <= lastSeq) settlement.row = row;
  settled.keys.push([item.type, item.id]);
  settled.isIncomplete ||= result.status === 'conflict' && !conflict?.server;
  unit.put(settlement.row);
  switch (settlement.kind) {
    case 'reapply':
      return requeue(unit, countFailure(settlement.item, { code: 'stale', message }, now, 0), settled.events);
    case 'refused': {
      const error = { code: reason || 'refused', message };
      return requeue(unit, mayPass(error.code) ? countFailure(item, error, now, 1) : park(item, error, now), settled.events);
    }
    case 'lost':
      settled.events.push(['conflict', {
        type: item.type, id: item.id, reason, message, mine: item.doc, theirs: settlement.row.doc, members: result.members,
      }]);
  }
  merging?.settle(unit, row, item, outcome, settled);
  // An edit that was made before the merge must not name the merged version as its base: it would undo the merge.
  removeItem(unit, item, settlement.kind === 'stored' && result.status !== 'merged' ? result.version : undefined);
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
export function requeue(unit: UnitOfWork, failed: Item, events: Report[]): void {
  const isParked = failed.live !== 1;
  if (isParked && unit.queueFor(failed).some(other => other.n > failed.n)) return removeItem(unit, failed);
  unit.enqueue(failed);
  // The event `poisoned` names a parked edit once, not after each retry.
  if (isParked && failed.attempts <= ATTEMPTS_MAX) events.push(['poisoned', toQueuedEdit(failed)]);
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
  n, type, id, doc, at: toIso(at), attempts, state: live === 1 ? 'pending' : 'poisoned', error,
});
