import type { Doc, EditError } from '../types.js';
import { winnerRevision } from './wire.js';
import { toIso, parseTime } from './clock.js';
import type { ItemResult, Revision } from './wire.js';

/** An entity on this device: the server's copy, and the user's unacknowledged edit over it. */
export interface Row {
  type: string;
  id: string;
  /** What the server holds; null if nothing, or a tombstone. */
  doc: Doc | null;
  /** Its version, 0 if the server is not known to have one. */
  version: number;
  /** Its `updatedAt`, 0 if the server is not known to have one. */
  at: number;
  /** True if the document is what this device sent: the server may have normalized it, and its copy replaces this one. */
  assumed?: true;
  /** The unacknowledged edit that is shown instead; null is a deletion. */
  mine?: Doc | null;
  /** True if this device deleted the entity and nothing revived it since: a new write is an undo. */
  removed?: true;
  /** What became of the last edits of this device, oldest first; kept only by an app that merges. */
  own?: readonly OwnEdit[];
}

/** An acknowledged edit, by the copy of it that the app was given: an app may still write on top of that copy. */
export interface OwnEdit {
  version: unknown;
  updatedAt: unknown;
  /** The version that it became. */
  becomes: number;
  /** The document, and what it became; absent if they are the same. */
  merged?: { mine: Doc; stored: Doc };
}

/** An edit in the queue. */
export interface Item {
  n: number;
  type: string;
  id: string;
  doc: Doc | null;
  /** The version its author saw. */
  base: number;
  /** True if the edit undoes a deletion by this device, whatever version the deletion gets. */
  revives?: true;
  at: number;
  attempts: number;
  notBefore: number;
  /** 1 if the edit may be sent; 2 if it is parked and is retried later; absent if it is parked for good. */
  live?: 1 | 2;
  /** The key of the batch that holds this edit: a retry sends the same bytes. */
  batch?: string;
  error?: EditError;
}

export const emptyRow = (type: string, id: string): Row => ({ type, id, doc: null, version: 0, at: 0 });

/** The document without a base version. */
export const withoutBase = (doc: Doc | null): Doc | null => doc && { ...doc, version: 0 };

/** The document that the app sees; null if there is none. */
export const visibleDocument = (row: Row | undefined): Doc | null =>
  (row?.mine === undefined ? row?.doc ?? null : row.mine);

/**
 * Returns the row with an edit on top, and the item for the queue. An edit that was not sent yet is replaced, because the server needs only
 * the last. `baseVersion` is the version that the author saw, as the edited document says: a form may be open while another arrives.
 */
export function applyEdit(
  row: Row, items: readonly Item[], edit: Doc | null, at: number,
  baseVersion?: unknown): { row: Row; item: Omit<Item, 'n'> & { n?: number } } {
  const last = items.at(-1);
  const revives = !!edit && (row.mine === null || (row.removed && !row.doc) || last?.revives);
  const base = Number.isInteger(baseVersion) && !revives ? (baseVersion as number) : (last?.base ?? row.version);
  const doc = edit && { ...edit, version: base };
  const item = { type: row.type, id: row.id, doc, base, ...(revives && { revives }), at, attempts: 0, notBefore: 0, live: 1 as const };
  return {
    row: { ...row, mine: doc, ...(!edit && { removed: true as const }) }, item: last?.n && !last.batch ? { ...item, n: last.n } : item
  };
}

/** Whether a copy is newer than the row. The server's `updatedAt` only grows, so the later copy wins in any order of arrival. */
export const isNewer = (row: Row, at: number): boolean =>
  at > row.at || (at === row.at && row.assumed === true) || (!row.at && !row.version);

/**
 * Returns the row with the server's revision in it, or undefined if the revision changes nothing. A queued edit stays on top of the
 * revision, whichever is later: only the server can decide that, and it does so in its answer to the edit.
 */
export const applyRevision = (row: Row, { doc, version, at }: Revision): Row | undefined =>
  isNewer(row, at) ? { ...localPart(row, doc), doc, version, at } : undefined;

/** The local part of a row: the own edits, and the mark of an own deletion while the server's copy is deleted. */
export const localPart = ({ assumed: _, removed, ...row }: Row, doc: Doc | null): Row =>
  ({ ...row, ...emptyRow(row.type, row.id), ...(removed && (!doc || row.mine === null) && { removed }) });

/** The effect of an answer on an item. */
export type Settlement =
  | { kind: 'stored' | 'lost'; row: Row }
  | { kind: 'reapply'; row: Row; item: Item }
  | { kind: 'refused'; row: Row };

/** Applies the server's answer to one item. */
export function applyResult(row: Row, item: Item, result: ItemResult, server: Doc | undefined, reason: string | undefined): Settlement {
  switch (result.status) {
    case 'unchanged':
      // The server held the same document already. Only its copy tells the version, when it arrives. The edit's own time must not pass for
      // the server's: it may be ahead of all later ones.
      return { kind: 'stored', row: row.at && item.doc ? row : { ...row, doc: item.doc } };
    case 'refused':
      return { kind: 'refused', row };
    case 'conflict':
      return applyConflict(row, item, result, server ? winnerRevision(row.type, row.id, server) : undefined, reason);
    default:
      return { kind: 'stored', row: adopt(row, storedState(item, result)) };
  }
}

/**
 * Resolves a conflict. A newer server copy wins. A newer local edit is applied again on the server's version, unless only members of it
 * lost: whole, it would undo what others changed. A deletion wins unless this device made it and undoes it.
 */
function applyConflict(
  row: Row, item: Item, { version = 0, members }: ItemResult, winner: Revision | undefined, reason: string | undefined): Settlement {
  const next = winner && isNewer(row, winner.at)
    ? { ...row, doc: winner.doc, version: winner.version, at: winner.at, assumed: undefined }
    : row;
  const { batch: _, ...free } = item;
  const isUndone = reason === 'deleted' && item.revives;
  const isLater = reason === 'stale' && winner?.doc && item.at > winner.at && !members;
  return isUndone || isLater
    ? { kind: 'reapply', row: next, item: { ...free, base: isLater ? winner.version : version } }
    : { kind: 'lost', row: next };
}

type StoredState = Pick<Row, 'doc' | 'version' | 'at' | 'assumed'>;

function storedState(item: Item, { status, version = 0, updatedAt, document }: ItemResult): StoredState {
  const at = parseTime(updatedAt);
  if (!item.doc || status === 'deleted') return { doc: null, version, at };
  return document ? { doc: document, version, at } : { doc: { ...item.doc, version, updatedAt: toIso(at) }, version, at, assumed: true };
}

// If equal, the socket has delivered this revision already, as it was stored. If greater, it has delivered a later one.
const adopt = (row: Row, stored: StoredState): Row =>
  (stored.at > row.at || !row.at || (!row.version && stored.at === row.at) ? { ...row, assumed: undefined, ...stored } : row);

/** The row without a settled item; the last of the remaining items `rest` stays visible. */
export function withoutItem(row: Row, rest: readonly Item[]): Row {
  if (rest.length) return row;
  const { mine: _, removed, ...bare } = row;
  return removed && !row.doc ? { ...bare, removed } : bare;
}
