import { describe, expect, test } from 'vitest';
import { FakeWorld } from './support/fakeWorld.js';
import { opened } from './support/openDevice.js';

class Private {
  #secret = 'lost';

  get secret(): string {
    return this.#secret;
  }
}

const nested = (levels: number): object => (levels === 1 ? {} : { a: nested(levels - 1) });
const lists = (levels: number): unknown => (levels === 1 ? [] : [lists(levels - 1)]);

describe('a value that JSON cannot represent', () => {
  test.each([
    ['a Blob', { photo: { raw: new Blob(['x']) } }, 'photo.raw cannot be stored: JSON cannot say Blob.'],
    ['a Map', { tags: [1, new Map([[1, 2]])] }, 'tags[1] cannot be stored: JSON cannot say Map.'],
    ['a Set', { tags: new Set([1]) }, 'tags cannot be stored'],
    ['bytes', { bytes: new Uint8Array(2) }, 'bytes cannot be stored'],
    ['an ArrayBuffer', { bytes: new ArrayBuffer(2) }, 'bytes cannot be stored'],
    ['a RegExp', { pattern: /x/ }, 'pattern cannot be stored'],
    ['an Error', { error: new Error('x') }, 'error cannot be stored'],
    ['a promise', { later: Promise.resolve(1) }, 'later cannot be stored'],
    ['a function', { save() {} }, 'save cannot be stored'],
    ['a symbol', { s: Symbol('x') }, 's cannot be stored'],
    ['a BigInt', { big: 10n }, 'big cannot be stored'],
    ['not a number', { minutes: Number.NaN }, 'minutes cannot be stored: JSON cannot say NaN.'],
    ['an endless number', { a: [{ b: Infinity }] }, 'a[0].b cannot be stored'],
    ['a date that is none', { at: new Date(Number.NaN) }, 'at cannot be stored'],
    ['an undefined element', { a: [1, undefined] }, 'a[1] cannot be stored'],
    ['a hole', { a: [1, , 2] }, 'a[1] cannot be stored'], // eslint-disable-line no-sparse-arrays
    ['an object of a class', { a: new Private() }, 'a cannot be stored: JSON cannot say Private.'],
  ])('is rejected by put() with its path: %s', async (_, doc, message) => {
    const sync = await opened(new FakeWorld(), { offline: true });
    await expect(sync.collection('goal').put(doc)).rejects.toThrow(TypeError);
    await expect(sync.collection('goal').put(doc)).rejects.toThrow(message);
    expect(await sync.queue()).toEqual([]);
  });

  test.each(
    [['a Map', new Map()], ['a list', []], ['a Blob', new Blob([])], ['a date', new Date()]])('is refused as a document: %s',
    async (_, doc) =>
      {
    const sync = await opened(new FakeWorld(), { offline: true });
    await expect(sync.collection('goal').put(doc as never)).rejects.toThrow(TypeError);
  });

  test('excludes values with a toJSON, objects without a class, and undefined', async () => {
    const sync = await opened(new FakeWorld(), { offline: true });
    const bare = Object.assign(Object.create(null), { x: 1 });
    const stored = await sync.collection('goal').put(
      { id: 'g', at: new Date(0), url: new URL('https://sync.test/'), bare, gone: undefined, list: [{ gone: undefined }], null: null });
    expect(stored).toEqual(
      {
        id: 'g', at: '1970-01-01T00:00:00.000Z', url: 'https://sync.test/', bare: { x: 1 }, list: [{}], null: null, version: 0,
        updatedAt: expect.any(String)
      });
  });
});

describe('depth', () => {
  test.each([['objects', nested(65)], ['lists', { id: 'g', a: lists(64) }]])(
    'of more than 64 levels is rejected, and the queue goes on: %s', async (_, doc) => {
    const world = new FakeWorld();
    const sync = await opened(world);
    await expect(sync.collection('goal').put(doc as never)).rejects.toThrow('deeper than 64 levels');
    await sync.collection('goal').put({ id: 'ok' });
    await sync.flush();
    expect(world.batches.flatMap(batch => batch.entities.map(entity => entity.id))).toEqual(['ok']);
  });

  test('of 64 levels is accepted', async () => {
    const sync = await opened(new FakeWorld(), { offline: true });
    await sync.collection('goal').put(nested(64) as never);
    await sync.collection('goal').put({ a: lists(63) });
    expect(await sync.queue()).toHaveLength(2);
  });
});

describe('an id', () => {
  test.each(
    [[''], [7], [{}], ['x'.repeat(257)], ['line\nbreak'], ['half an emoji \ud83c']])('that is unusable is refused: %j',
    async id =>
      {
    const sync = await opened(new FakeWorld(), { offline: true });
    await expect(sync.collection('goal').put({ id: id as string })).rejects.toThrow('id cannot be stored');
    await expect(sync.collection('goal').delete(id as string)).rejects.toThrow('id cannot be stored');
    expect(await sync.queue()).toEqual([]);
  });

  test('that is null is replaced by a generated one', async () => {
    const sync = await opened(new FakeWorld(), { offline: true });
    expect(await sync.collection('goal').put({ id: null as never })).toMatchObject({ id: expect.stringMatching(/./) });
  });

  test.each([[5], [' ']])('of a piece is refused as well: %j', async scoreId => {
    const sync = await opened(new FakeWorld(), { offline: true });
    await expect(sync.collection('repertoire_item').put({ scoreId })).rejects.toThrow(TypeError);
  });
});

describe('a member that the protocol reserves', () => {
  test.each([
    [{ deletedAt: '2026-11-22T10:00:00.000Z' }, 'deletedAt'], [{ deleted_at: 0 }, 'deleted_at'], [{ deletedAt: '' }, 'deletedAt'],
    [{ baseVersion: 3 }, 'baseVersion'],
    [{ version: '1.2' }, 'version'], [{ user_id: 'ben' }, 'user_id'], [{ userId: 'ben' }, 'userId'],
  ])('is rejected, neither applied nor overwritten: %j', async (doc, name) => {
    const sync = await opened(new FakeWorld(), { offline: true });
    await expect(sync.collection('goal').put(doc)).rejects.toThrow(`${name} cannot be stored: the protocol reserves this name`);
    expect(await sync.queue()).toEqual([]);
  });

  test('of a protocol type is allowed in the app\'s own types', async () => {
    const sync = await opened(new FakeWorld(), { offline: true });
    expect(await sync.collection('note').put({ userId: 'ben' })).toMatchObject({ userId: 'ben' });
  });

  test('is accepted with the value that the server sent', async () => {
    const sync = await opened(new FakeWorld(), { offline: true });
    const doc = {
      id: 'g', user_id: 'ada', userId: 'ada', device_id: 'd', checksum: 'x', seq: 4, version: 3, deletedAt: null, createdAt: 5
    };
    expect(await sync.collection('goal').put(doc)).toMatchObject(doc);
  });
});
