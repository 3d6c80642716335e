import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { backoff, BACKOFF_MAX_MS } from '../src/pure/backoff.js';
import { ATTEMPTS_MAX, groupSize, selectBatch } from '../src/pure/batch.js';
import { canonical, checksum } from '../src/pure/canonical.js';
import { parseTime, editTime } from '../src/pure/clock.js';
import { Digest } from '../src/pure/digest.js';
import type { Item } from '../src/pure/merge.js';
import { normalizeScoreId } from '../src/pure/scoreId.js';
import { sha256 } from '../src/pure/sha256.js';
import { reconnectAfter, verdictFor } from '../src/pure/verdict.js';
import { claims, headerText, documentId, frameRevisions, pullRevisions } from '../src/pure/wire.js';
import checksums from './vectors/checksum.json';
import scoreIds from './vectors/score-id.json';

describe('checksum', () => {
  test.each(checksums)('of $json', ({ json, sha256: expected }) => expect(checksum(JSON.parse(json))).toBe(expected));

  test('leaves out an undefined member, as JSON does', () => expect(canonical({ b: undefined, a: [undefined] })).toBe('{"a":[null]}'));

  test.each([0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 1000, 70_000])('SHA-256 of %i bytes equals Node\'s', length => {
    const text = 'é'.repeat(length >> 1) + 'x'.repeat(length & 1);
    expect(sha256(text)).toBe(createHash('sha256').update(text).digest('hex'));
  });
});

test.each(scoreIds.normalizeExisting)(
  'score id $input is spelled $output', ({ input, output }) => expect(normalizeScoreId(input)).toBe(output));

describe('digest', () => {
  test('of no entities is zero', () => expect(new Digest().toString()).toBe('0'.repeat(32)));

  test('does not depend on order, and wraps at 2^128', () => {
    const rows = Array.from({ length: 50 }, (_, i) => ['goal', `g${i}`, i + 1] as const);
    const [one, other] = [new Digest(), new Digest()];
    for (const row of rows) one.add(...row);
    for (const row of rows.toReversed()) other.add(...row);
    const sum = rows.map(
      ([type, id, version]) =>
        BigInt(`0x${createHash('sha256').update(`${type}\0${id}\0${version}`).digest('hex').slice(0, 32)}`)).reduce((a, b) => a + b);
    expect(one.toString()).toBe(other.toString());
    expect(one.toString()).toBe((sum % 2n ** 128n).toString(16).padStart(32, '0'));
  });
});

describe('back-off', () => {
  test(
    'doubles from one second to the cap',
    () =>
      expect([1, 2, 3, 4, 7, 50].map(failures => backoff(failures, 1))).toEqual(
        [1_000, 2_000, 4_000, 8_000, BACKOFF_MAX_MS, BACKOFF_MAX_MS]));
  test(
    'has full jitter, with a shortest wait of 200 ms',
    () => expect([0, 0.5, 1].map(random => backoff(3, random))).toEqual([200, 2_000, 4_000]));
  test('is never shorter than the server asks', () => expect(backoff(1, 0, 5_000)).toBe(5_000));
});

describe('clock', () => {
  test('is always later than the document\'s previous time', () => {
    expect(editTime(100, 50)).toBe(100);
    expect(editTime(100, 100)).toBe(101);
    expect(editTime(100, 5_000)).toBe(5_001);
  });
  test('ignores times after the year 9998', () => expect(editTime(5, Date.UTC(9999, 11, 31))).toBe(5));
  test.each(
    [['2026-11-22T10:00:00.000Z', 1795341600000], [1795341600000, 1795341600000], ['soon', 0], [null, 0], [-5, 0]])('reads %j',
    (value, ms) =>
      expect(parseTime(value)).toBe(ms));
});

describe('what a failure means', () => {
  test.each([
    [401, 'unauthorized'], [403, 'refused'], [409, 'refused'], [400, 'fault'], [422, 'fault'], [413, 'fault'], [415,
    'fault'], [500, 'fault'],
    [429, 'later'], [503, 'later'], [408, 'later'], [404, 'later'],
  ] as const)('%i of the server is %s; of anybody else it is no answer', (status, verdict) => {
    expect(verdictFor(status, true)).toBe(verdict);
    expect(verdictFor(status, false)).toBe('unanswered');
  });

  test.each([[4401, true], [4403, true], [1012, false], [1013, false], [4429, false], [1006, false]])(
    'close code %i asks for a fresh token: %s', (code, needsToken) => expect(reconnectAfter(code).needsToken).toBe(needsToken));
  test(
    'close code 4429 reconnects later than others',
    () => expect(reconnectAfter(4429).failures).toBeGreaterThan(reconnectAfter(1012).failures + 3));
});

describe('the next batch', () => {
  const item = (n: number, type: string, more: Partial<Item> = {}): Item =>
    ({ n, type, id: `${type}${n}`, doc: {}, base: 0, at: n, attempts: 0, notBefore: 0, live: 1, ...more });
  const chosen = (queue: Item[], now = 0, size = 1) => selectBatch(queue, now, () => size).items.map(i => i.n);

  test('is of one type, in order', () => expect(chosen([item(1, 'goal'), item(2, 'entry'), item(3, 'goal')])).toEqual([1, 3]));
  test('holds at most 1,000 items', () => expect(chosen(Array.from({ length: 1_500 }, (_, i) => item(i, 'goal')))).toHaveLength(1_000));
  test('holds at most 256 KiB, envelope included, but at least one item', () => {
    expect(chosen([item(1, 'goal'), item(2, 'goal'), item(3, 'goal')], 0, 130_900)).toEqual([1, 2]);
    expect(chosen([item(1, 'goal'), item(2, 'goal'), item(3, 'goal')], 0, 131_072)).toEqual([1]);
    expect(chosen([item(1, 'goal'), item(2, 'goal')], 0, 4_000_000)).toEqual([1]);
  });
  test(
    'has one item per entity: the next waits for the answer',
    () => expect(chosen([item(1, 'goal', { id: 'g' }), item(2, 'goal', { id: 'g' }), item(3, 'goal')])).toEqual([1, 3]));
  test('skips items whose wait is not over, and later items of the same entities', () => {
    const queue = [
      item(1, 'goal', { id: 'g', notBefore: 50 }), item(2, 'goal', { id: 'g' }), item(3, 'goal', { notBefore: 20 }), item(4, 'goal')
    ];
    expect(selectBatch(queue, 0, () => 1)).toEqual({ items: [queue[3]], nextAt: 20 });
    expect(chosen(queue, 50)).toEqual([1, 3, 4]);
  });
  test('shrinks after failures, until the faulty item is alone within five attempts', () => {
    expect(Array.from({ length: ATTEMPTS_MAX }, (_, attempts) => groupSize(attempts))).toEqual([1_000, 100, 10, 1, 1]);
    expect(chosen(Array.from({ length: 30 }, (_, i) => item(i, 'goal', { attempts: 2 })))).toHaveLength(10);
  });
  test('does not mix failed items with new ones', () => expect(chosen([item(1, 'goal', { attempts: 3 }), item(2, 'goal')])).toEqual([1]));
});

describe('the wire', () => {
  const doc = (id: string) => ({ id, version: 3, updatedAt: '2026-11-22T10:00:00.000Z' });
  const revision = (type: string, id: string) => ({ type, id, doc: doc(id), version: 3, at: 1795341600000 });
  const deletion = (type: string, id: string) => ({ type, id, doc: null, version: 4, at: 1795341600000 });
  const deletedAt = '2026-11-22T10:00:00.000Z';

  test('a pull answer becomes one revision per document, deletions last', () => {
    const answer = {
      entries: [doc('e')], goals: [doc('g')], repertoire: [doc('r')], practicePlans: [doc('p')], planOccurrences: [doc('o')],
      planTemplates: [doc('t')], preferences: doc('ada'),

      other: { thing: [doc('x')] }, deleted: [{ entityType: 'goal', entityId: 'g0', deletedAt, seq: 9 }] };
    expect(pullRevisions(answer).map(({ type, id }) => `${type} ${id}`)).toEqual(
      [
        'logbook_entry e', 'goal g', 'repertoire_item r', 'practice_plan p', 'plan_occurrence o', 'plan_template t', 'thing x',
        'user_preferences ada', 'goal g0'
      ]);
  });

  test.each([
    [{ type: 'ENTRY_CREATED', entry: doc('e') }, [revision('logbook_entry', 'e')]],
    [{ type: 'BULK_SYNC', entries: [doc('e'), doc('f')] }, [revision('logbook_entry', 'e'), revision('logbook_entry', 'f')]],
    [{ type: 'PLAN_UPDATED', plan: doc('p'), occurrences: [doc('o')] }, [revision('practice_plan', 'p'), revision('plan_occurrence', 'o')]],
    [{ type: 'PLAN_OCCURRENCE_COMPLETED', occurrence: doc('o') }, [revision('plan_occurrence', 'o')]],
    [{ type: 'PREFERENCES_UPDATED', preferences: doc('ada') }, [revision('user_preferences', 'ada')]],
    [{ type: 'ENTITY_UPDATED', entityType: 'thing', entityId: 'x', entity: doc('x') }, [revision('thing', 'x')]],
    [{ type: 'ENTITY_DELETED', entityType: 'thing', entityId: 'x', deletedAt, version: 4 }, [deletion('thing', 'x')]],
    [{ type: 'ENTRY_DELETED', entryId: 'e', deletedAt, version: 4 }, [deletion('logbook_entry', 'e')]],
    [{ type: 'GOAL_DELETED', goalId: 'g', deletedAt, version: 4 }, [deletion('goal', 'g')]],
    [{ type: 'PIECE_REMOVED', scoreId: 'a-b', deletedAt, version: 4 }, [deletion('repertoire_item', 'a-b')]],
    [{ type: 'PLAN_DELETED', planId: 'p', deletedAt, version: 4 }, [deletion('practice_plan', 'p')]],
    [{ type: 'TEMPLATE_DELETED', templateId: 't', deletedAt, version: 4 }, [deletion('plan_template', 't')]],
    [{ type: 'SYNC_RESPONSE', lastSeq: 5 }, []],
    [{ type: 'TOMORROWS_EVENT', novelty: 1 }, []],
  ])('a socket frame becomes the revisions it carries: %j', (frame, expected) => expect(frameRevisions(frame)).toEqual(expected));

  test.each(
    [
      ['laptop', 'laptop'], ["Ada's ~tablet (2)", "Ada's ~tablet (2)"], ['', ''], ['100%', '100%25'], ['Jürgen', 'J%C3%BCrgen'],
      ['Ada’s', 'Ada%E2%80%99s'], ['電話', '%E9%9B%BB%E8%A9%B1'], ['é\t', '%C3%A9%09']
    ])('a header encodes %j as %j',
    (text, header) =>
      {
    expect(headerText(text)).toBe(header);
    expect(() => new Headers({ 'x-device-id': header })).not.toThrow();
  });

  test('a document gets the id that the server will use', () => {
    expect(documentId('goal', { id: 'G' }, 'ada')).toBe('G');
    expect(documentId('goal', {}, 'ada')).toBeUndefined();
    expect(documentId('repertoire_item', { id: 'x', scoreId: 'Clair de Lune - Debussy' }, 'ada')).toBe('clair de lune-debussy');
    expect(documentId('user_preferences', { id: 'x' }, 'ada')).toBe('ada');
  });

  test('the claims of a token are read without verification, and a malformed token has none', () => {
    const token = ['{}', JSON.stringify({ sub: 'ädä', exp: 5 })].map(
      part => Buffer.from(part).toString('base64url')).join('.') + '.signature';
    expect(claims(token)).toEqual({ sub: 'ädä', exp: 5 });
    expect(claims('nonsense')).toEqual({});
  });
});
