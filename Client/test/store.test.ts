import { describe, expect, test } from 'vitest';
import { completion } from '../src/store/database.js';
import { openDatabase, tablesFrom, migrations } from '../src/store/schema.js';
import { FakeWorld, token } from './support/fakeWorld.js';
import { opened } from './support/openDevice.js';
describe('the store', () => {
  test('rejects a write that does not fit, and shows nothing of it', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { offline: true });
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...rest: [unknown, IDBValidKey?]) {
      if (this.name === 'queue') throw new DOMException('The disk is full.', 'QuotaExceededError');
      return put.apply(this, rest);
    };
    try {
      await expect(sync.collection('goal').put({ id: 'g' })).rejects.toMatchObject({ name: 'QuotaExceededError' });
    } finally {
      IDBObjectStore.prototype.put = put;
    }
    expect(await sync.collection('goal').all()).toEqual([]);
    expect(await sync.queue()).toEqual([]);
    await sync.collection('goal').put({ id: 'g' });
    expect(await sync.queue()).toHaveLength(1);
  });

  test('of an older version is migrated with its documents and its queue', async () => {
    const name = 'mirubato-sync:old:ada@https://sync.test';
    const old = await openDatabase(name, {}, migrations.slice(0, 1));
    expect(old.version).toBe(1);
    const transaction = old.transaction(['rows', 'queue', 'meta'], 'readwrite');
    const { rows, queue, meta } = tablesFrom(transaction, ['rows', 'queue', 'meta']);
    await rows.put(
      { type: 'goal', id: 'g', doc: { id: 'g', title: 'kept', version: 4 }, version: 4, at: 5, mine: { id: 'g', title: 'unsent' } });
    await queue.put({ type: 'goal', id: 'g', doc: { id: 'g', title: 'unsent' }, base: 4, at: 6, attempts: 0, notBefore: 0 } as never);
    await meta.put('the device', 'device');
    await completion(transaction);
    old.close();
    const world = new FakeWorld();
    const sync = await opened(world, { name: 'old', device: undefined, offline: true });
    expect(sync.status.device).toBe('the device');
    expect(await sync.collection('goal').get('g')).toMatchObject({ title: 'unsent' });
    sync.goOnline();
    await sync.flush();
    expect(world.batches).toMatchObject([{ entities: [{ id: 'g', baseVersion: 4, data: { title: 'unsent' } }] }]);
  });

  test('of a newer version than the code is not opened', async () => {
    const newer = await openDatabase('mirubato-sync:newer:ada@https://sync.test', {}, [...migrations, () => {}]);
    newer.close();
    await expect(new FakeWorld().open({ name: 'newer' })).rejects.toMatchObject({ name: 'VersionError' });
  });

  test('of one user is not visible to another user of the same browser', async () => {
    const world = new FakeWorld();
    const ada = await opened(world, { name: 'shared', offline: true });
    await ada.collection('goal').put({ id: 'g' });
    const ben = await opened(world, { name: 'shared', offline: true, token: token('ben') });
    expect(await ben.collection('goal').all()).toEqual([]);
    expect(ben.status).toMatchObject({ pending: 0, user: 'ben' });
  });

  test('is deleted by signOut(), unsent edits included', async () => {
    const world = new FakeWorld();
    const sync = await world.open({ name: 'leaving', offline: true });
    await sync.collection('goal').put({ id: 'g' });
    await sync.signOut();
    expect((await indexedDB.databases()).map(database => database.name)).not.toContain('mirubato-sync:leaving:ada@https://sync.test');
    const again = await opened(world, { name: 'leaving', offline: true });
    expect([await again.collection('goal').all(), await again.queue()]).toEqual([[], []]);
  });
});
