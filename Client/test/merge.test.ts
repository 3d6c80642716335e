import { describe, expect, test } from 'vitest';
import {
  emptyRow, isNewer, applyRevision, applyResult, withoutItem, visibleDocument, applyEdit, type Item, type Row
} from '../src/pure/merge.js';
import type { ItemResult, Revision } from '../src/pure/wire.js';

const doc = (notes: string) => ({ id: 'e', notes });
const known: Row = { type: 'logbook_entry', id: 'e', doc: doc('theirs'), version: 3, at: 1_000 };
const item = (more: Partial<Item> = {}): Item =>
  ({ n: 1, type: 'logbook_entry', id: 'e', doc: doc('mine'), base: 3, at: 1_500, attempts: 0, notBefore: 0, live: 1, ...more });
const edited: Row = { ...known, mine: doc('mine') };
const revision = (at: number, more: Partial<Revision> = {}): Revision =>
  ({ type: 'logbook_entry', id: 'e', doc: doc(`theirs ${at}`), version: 4, at, ...more });
const result = (status: ItemResult['status'], more: Partial<ItemResult> = {}): ItemResult =>
  ({ entityType: 'logbook_entry', entityId: 'e', status, version: 4, updatedAt: '1970-01-01T00:00:01.500Z', ...more });

describe('a write', () => {
  test('has the stored version as its base, and is shown at once', () => {
    const next = applyEdit(known, [], doc('mine'), 1_500);
    expect(next.item).toMatchObject({ base: 3, at: 1_500, live: 1 });
    expect(visibleDocument(next.row)).toEqual({ ...doc('mine'), version: 3 });
  });
  test('keeps the base version that its author saw when another version arrives meanwhile', () => {
    expect(applyEdit(known, [], doc('mine'), 1_500, 2).item.base).toBe(2);
    expect(applyEdit(edited, [item()], doc('again'), 1_600, 2).item.base).toBe(2);
  });
  test('to an unknown entity has base version 0', () => expect(applyEdit(emptyRow('goal', 'g'), [], {}, 1).item.base).toBe(0));
  test(
    'replaces an unsent edit of the same entity, and keeps its place in the queue and its base version',
    () =>
      expect(applyEdit(edited, [item()], doc('again'), 1_600).item).toMatchObject({ n: 1, base: 3, doc: { ...doc('again'), version: 3 } }));
  test(
    'is queued after an edit that is being sent',
    () => expect(applyEdit(edited, [item({ batch: 'k' })], doc('again'), 1_600).item.n).toBeUndefined());
  test('replaces a poisoned edit in its place, with no failed attempts', () => {
    const { live: _, ...poisoned } = item({ attempts: 5, error: { code: 'too_large', message: '' } });
    expect(applyEdit(edited, [poisoned], doc('shorter'), 1_600).item).toEqual(
      {
        n: 1, type: 'logbook_entry', id: 'e', doc: { ...doc('shorter'), version: 3 }, base: 3, at: 1_600, attempts: 0, notBefore: 0, live: 1
      });
  });
});

describe('a received revision', () => {
  test.each([[999, false], [1_000, false], [1_001, true]])(
    'with time %i replaces a copy with time 1000: %s', (at, news) => expect(isNewer(known, at)).toBe(news));
  test(
    'replaces a copy that this device only assumed, also with the same time',
    () => expect(isNewer({ ...known, assumed: true }, 1_000)).toBe(true));
  test('that is older than a stored tombstone does not bring the document back', () => {
    const gone = applyRevision(known, revision(1_200, { doc: null }))!;
    expect(visibleDocument(gone)).toBeNull();
    expect(applyRevision(gone, revision(1_100))).toBeUndefined();
  });
  test.each([1_200, 1_900])('with time %i stays below a queued edit with time 1500, because only the server decides', at => {
    const received = applyRevision(edited, revision(at))!;
    expect(visibleDocument(received)).toEqual(doc('mine'));
    expect(received).toMatchObject({ doc: doc(`theirs ${at}`), version: 4 });
  });
});

describe('the answer to an edit', () => {
  test('`updated` makes the edit the assumed copy of the server until the real one arrives', () => {
    const settled = applyResult(edited, item(), result('updated'), undefined, undefined);
    expect(settled).toMatchObject(
      {
        kind: 'stored',
        row: { doc: { notes: 'mine', version: 4, updatedAt: '1970-01-01T00:00:01.500Z' }, version: 4, at: 1_500, assumed: true }
      });
  });
  test('with a document replaces the edit by that document', () => {
    const settled = applyResult(edited, item(), result('updated', { document: doc('MINE') }), undefined, undefined);
    expect(settled.row).toMatchObject({ doc: doc('MINE') });
    expect(settled.row.assumed).toBeUndefined();
  });
  test(
    'does not replace a later copy that the socket delivered first',
    () =>
      expect(
        applyResult(
          { ...edited, at: 1_700, doc: doc('later') }, item(), result('updated'), undefined, undefined).row.doc).toEqual(doc('later')));
  test(
    '`deleted` leaves a tombstone',
    () =>
      expect(
        applyResult(
          edited, item({ doc: null }), result('deleted'), undefined, undefined).row).toMatchObject({ doc: null, version: 4, at: 1_500 }));
  test(
    '`unchanged` keeps the copy of the server',
    () =>
      expect(
        applyResult(
          edited, item(), result('unchanged'), undefined, undefined)).toMatchObject({ kind: 'stored', row: { doc: doc('theirs') } }));
  test.each([null, doc('mine')])('`unchanged` to an edit from a fast clock does not block the server\'s next revision: %j', mine => {
    const settled = applyResult(
      { ...emptyRow('logbook_entry', 'e'), mine }, item({ doc: mine, at: 9_000 }), result('unchanged'), undefined, undefined);
    expect(settled.row.doc).toEqual(mine);
    expect(applyRevision(settled.row, revision(1_200))).toMatchObject({ doc: doc('theirs 1200') });
  });
  test('`conflict` with a newer winner replaces the edit by the winner', () => {
    const settled = applyResult(edited, item(), result('conflict'), { ...doc('winner'), version: 4, updatedAt: 1_600 }, 'stale');
    expect(settled).toMatchObject({ kind: 'lost', row: { doc: { notes: 'winner' }, version: 4, at: 1_600 } });
  });
  test('`conflict` with an older winner sends the edit again, based on the winner', () => {
    const settled = applyResult(
      edited, item({ batch: 'k' }), result('conflict'), { ...doc('winner'), version: 9, updatedAt: 1_400 }, 'stale');
    expect(settled).toMatchObject({ kind: 'reapply', item: { base: 9, doc: doc('mine') } });
    expect(settled.kind === 'reapply' && settled.item.batch).toBeUndefined();
  });
  test('`conflict` with a deletion deletes the document, however late the edit is', () => {
    const settled = applyResult(
      edited, item({ at: 9_000 }), result('conflict'), { id: 'e', deletedAt: '1970-01-01T00:00:01.600Z', version: 4 }, 'deleted');
    expect(settled).toMatchObject({ kind: 'lost', row: { doc: null, version: 4, at: 1_600 } });
  });
  test(
    '`refused` leaves the row as it is',
    () =>
      expect(
        applyResult(edited, item(), result('refused', { version: 0 }), undefined, 'too_large')).toEqual({ kind: 'refused', row: edited }));
});

describe('a row whose edit is settled', () => {
  test('shows the server\'s copy if no other edit waits', () => expect(visibleDocument(withoutItem(edited, []))).toEqual(doc('theirs')));
  test(
    'shows a later edit that still waits',
    () => expect(visibleDocument(withoutItem({ ...edited, at: 9_000 }, [item({ n: 2, at: 1_700 })]))).toEqual(doc('mine')));
});
