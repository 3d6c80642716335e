import { visibleDocument, type Item, type OwnEdit, type Row } from './pure/merge.js';
import { mergeMembers } from './pure/threeWayMerge.js';
import type { Outcome } from './pure/wire.js';
import type { Edit, Merging, SettledBatch } from './store/steps.js';
import type { UnitOfWork } from './store/unitOfWork.js';
import type { Doc } from './types.js';

export type { Merging };

// An app seldom writes on top of a copy that is older than this many of its own edits. If it does, the server merges.
const OWN_EDITS_MAX = 4;

/** Pass it to `openSync`: edits of different members of a document are merged instead of competing as whole documents. */
export const merging: Merging = { headers: { 'x-sync-merge': '1' }, place, settle };

/**
 * Puts an edit on top of the latest state of the copy it was made on. The app may have been given that copy before an earlier edit of this
 * device was acknowledged, merged or queued, so that its `version` names a base which lacks that edit.
 */
function place(unit: UnitOfWork, edit: Edit): Edit {
  const row = unit.row(edit);
  if (!edit.doc || !visibleDocument(row)) return edit;
  const doc = (row.own ?? []).reduce((latest, own) => (isCopy(latest, own) ? follow(edit.type, latest, own) : latest), edit.doc);
  const queue = unit.queueFor(edit);
  const last = queue.at(-1);
  const basis = [row.doc, ...queue.map(item => item.doc)].findLast(known => known && isCopy(doc, known));
  if (!last?.doc || !basis) return { ...edit, doc, baseVersion: doc.version };
  return { ...edit, doc: basis === last.doc ? doc : mergeMembers(edit.type, basis, last.doc, doc), baseVersion: last.base };
}

/** A copy is recognized by its version and time: the times of one device's edits of a document never repeat. */
const isCopy = (doc: Doc, known: { version?: unknown; updatedAt?: unknown }): boolean =>
  doc.version === known.version && doc.updatedAt !== undefined && doc.updatedAt === known.updatedAt;

const follow = (type: string, doc: Doc, { becomes, merged }: OwnEdit): Doc => ({
  ...(merged ? mergeMembers(type, merged.mine, merged.stored, doc) : doc), version: becomes,
  updatedAt: merged ? merged.stored.updatedAt : doc.updatedAt,
});

/** Rebases the later edits of a document on what the server stored instead of this one, and remembers what became of it. */
function settle(unit: UnitOfWork, before: Row, item: Item, { result, conflict }: Outcome, settled: SettledBatch): void {
  const { status, version } = result;
  if (!item.doc || !version) return;
  const stored = storedInstead(before, { result, conflict });
  if (status === 'conflict' && !stored) return;
  if (status === 'merged') {
    // The answer had no room for the document. Until it is pulled, edits go on naming the base that is known.
    if (!stored) {
      unit.put(before.version < version ? { ...before, doc: item.doc } : before);
      settled.isIncomplete = true;
      return;
    }
    report(item, item.doc, stored, result.members, settled);
  }
  rebase(unit, item, item.doc, stored, version);
}

/** The document that the server has instead of the one that was sent; undefined if it has that one, a tombstone, or does not say. */
function storedInstead(before: Row, { result, conflict }: Outcome): Doc | undefined {
  const stored = conflict ? conflict.server : result.document;
  if (stored) return stored.deletedAt ? undefined : stored;
  return (result.status === 'merged' && before.version === result.version && before.doc) || undefined;
}

function report({ type, id }: Item, mine: Doc, stored: Doc, members: string[] | undefined, { events }: SettledBatch): void {
  events.push(['merged', { type, id, mine, stored }]);
  if (members) events.push(['conflict', { type, id, reason: 'stale', message: '', mine, theirs: stored, members }]);
}

function rebase(unit: UnitOfWork, item: Item, sent: Doc, stored: Doc | undefined, version: number): void {
  const own = [...(unit.row(item).own ?? []), outcome(sent, stored, version)];
  let [basis, current, mine] = [sent, stored, unit.row(item).mine];
  for (const next of unit.queueFor(item).filter(({ n }) => n > item.n)) {
    if (!current || !next.doc || next.base !== item.base) break;
    const doc: Doc = { ...mergeMembers(item.type, basis, current, next.doc), version };
    own.push(outcome(next.doc, doc, version));
    unit.enqueue({ ...next, doc, base: version });
    if (mine === next.doc || mine?.updatedAt === next.doc.updatedAt) mine = doc;
    [basis, current] = [next.doc, doc];
  }
  unit.put({ ...unit.row(item), own: own.slice(-OWN_EDITS_MAX), ...(mine !== undefined && { mine }) });
}

const outcome = (mine: Doc, stored: Doc | undefined, becomes: number): OwnEdit =>
  ({ version: mine.version, updatedAt: mine.updatedAt, becomes, ...(stored && { merged: { mine, stored } }) });
