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

describe('writing', () => {
  test('keeps the version that its author saw, and is shown at once', () => {
    const next = applyEdit(known, [], doc('mine'), 1_500);
    expect(next.item).toMatchObject({ base: 3, at: 1_500, live: 1 });
    expect(visibleDocument(next.row)).toEqual({ ...doc('mine'), version: 3 });
  });
  test('keeps the version that its author saw, although another version arrived meanwhile', () => {
    expect(applyEdit(known, [], doc('mine'), 1_500, 2).item.base).toBe(2);
    expect(applyEdit(edited, [item()], doc('again'), 1_600, 2).item.base).toBe(2);
  });
  test('of an unknown entity has no base version', () => expect(applyEdit(emptyRow('goal', 'g'), [], {}, 1).item.base).toBe(0));
  test(
    'replaces an edit that was not sent, keeping its place and its base',
    () =>
      expect(applyEdit(edited, [item()], doc('again'), 1_600).item).toMatchObject({ n: 1, base: 3, doc: { ...doc('again'), version: 3 } }));
  test(
    'goes behind an edit that is on its way',
    () => expect(applyEdit(edited, [item({ batch: 'k' })], doc('again'), 1_600).item.n).toBeUndefined());
  test('takes the place of a poisoned edit, as a new one', () => {
    const { live: _, ...poisoned } = item({ attempts: 5, error: { code: 'too_large', message: '' } });
    expect(applyEdit(edited, [poisoned], doc('shorter'), 1_600).item).toEqual(
      {
        n: 1, type: 'logbook_entry', id: 'e', doc: { ...doc('shorter'), version: 3 }, base: 3, at: 1_600, attempts: 0, notBefore: 0, live: 1
      });
  });
});

describe('receiving', () => {
  test.each([[999, false], [1_000, false], [1_001, true]])(
    'a copy of %i over one of 1000 is news: %s', (at, news) => expect(isNewer(known, at)).toBe(news));
  test('what was assumed gives way to the very revision it assumed', () => expect(isNewer({ ...known, assumed: true }, 1_000)).toBe(true));
  test('a tombstone keeps an older copy from coming back', () => {
    const gone = applyRevision(known, revision(1_200, { doc: null }))!;
    expect(visibleDocument(gone)).toBeNull();
    expect(applyRevision(gone, revision(1_100))).toBeUndefined();
  });
  test.each([1_200, 1_900])('an edit of 1500 that waits stays on top of a revision of %i: the server decides, and keeps who loses', at => {
    const received = applyRevision(edited, revision(at))!;
    expect(visibleDocument(received)).toEqual(doc('mine'));
    expect(received).toMatchObject({ doc: doc(`theirs ${at}`), version: 4 });
  });
});

describe('settling', () => {
  test('what was stored becomes the server\'s copy, until that comes', () => {
    const settled = applyResult(edited, item(), result('updated'), undefined, undefined);
    expect(settled).toMatchObject(
      {
        kind: 'stored',
        row: { doc: { notes: 'mine', version: 4, updatedAt: '1970-01-01T00:00:01.500Z' }, version: 4, at: 1_500, assumed: true }
      });
  });
  test('what the server stored differently is taken as it says', () => {
    const settled = applyResult(edited, item(), result('updated', { document: doc('MINE') }), undefined, undefined);
    expect(settled.row).toMatchObject({ doc: doc('MINE') });
    expect(settled.row.assumed).toBeUndefined();
  });
  test(
    'a later copy that the socket brought first stays',
    () =>
      expect(
        applyResult(
          { ...edited, at: 1_700, doc: doc('later') }, item(), result('updated'), undefined, undefined).row.doc).toEqual(doc('later')));
  test(
    'a deletion leaves a tombstone',
    () =>
      expect(
        applyResult(
          edited, item({ doc: null }), result('deleted'), undefined, undefined).row).toMatchObject({ doc: null, version: 4, at: 1_500 }));
  test(
    'unchanged means that the server held the same',
    () =>
      expect(
        applyResult(
          edited, item(), result('unchanged'), undefined, undefined)).toMatchObject({ kind: 'stored', row: { doc: doc('theirs') } }));
  test.each([null, doc('mine')])('and whatever comes next is news, however far ahead our own clock was: %j', mine => {
    const settled = applyResult(
      { ...emptyRow('logbook_entry', 'e'), mine }, item({ doc: mine, at: 9_000 }), result('unchanged'), undefined, undefined);
    expect(settled.row.doc).toEqual(mine);
    expect(applyRevision(settled.row, revision(1_200))).toMatchObject({ doc: doc('theirs 1200') });
  });
  test('beaten, server newer: adopted', () => {
    const settled = applyResult(edited, item(), result('conflict'), { ...doc('winner'), version: 4, updatedAt: 1_600 }, 'stale');
    expect(settled).toMatchObject({ kind: 'lost', row: { doc: { notes: 'winner' }, version: 4, at: 1_600 } });
  });
  test('beaten, local newer: reapplied on the version that won', () => {
    const settled = applyResult(
      edited, item({ batch: 'k' }), result('conflict'), { ...doc('winner'), version: 9, updatedAt: 1_400 }, 'stale');
    expect(settled).toMatchObject({ kind: 'reapply', item: { base: 9, doc: doc('mine') } });
    expect(settled.kind === 'reapply' && settled.item.batch).toBeUndefined();
  });
  test('beaten by a deletion: it stands, however late the edit', () => {
    const settled = applyResult(
      edited, item({ at: 9_000 }), result('conflict'), { id: 'e', deletedAt: '1970-01-01T00:00:01.600Z', version: 4 }, 'deleted');
    expect(settled).toMatchObject({ kind: 'lost', row: { doc: null, version: 4, at: 1_600 } });
  });
  test(
    'refused leaves the row as it is',
    () =>
      expect(
        applyResult(edited, item(), result('refused', { version: 0 }), undefined, 'too_large')).toEqual({ kind: 'refused', row: edited }));
});

describe('uncovering', () => {
  test('the last one gone, the server\'s copy is shown', () => expect(visibleDocument(withoutItem(edited, []))).toEqual(doc('theirs')));
  test(
    'a later edit stays',
    () => expect(visibleDocument(withoutItem({ ...edited, at: 9_000 }, [item({ n: 2, at: 1_700 })]))).toEqual(doc('mine')));
});
