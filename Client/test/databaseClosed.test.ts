import { forceCloseDatabase } from 'fake-indexeddb';
import { describe, expect, test } from 'vitest';
import type { Sync } from '../src/index.js';
import { FakeTabs, FakeWorld, gate, rest, soon } from './support/fakeWorld.js';
import { live, opened } from './support/openDevice.js';

const databaseOf = (sync: Sync) => (sync as unknown as { store: { database: Promise<IDBDatabase> } }).store.database;

/** Closes the database, as iOS does in the background. */
const closes = async (sync: Sync) => forceCloseDatabase((await databaseOf(sync)) as never);

/** Deletes the database, as a browser does that clears data: it closes connections first. */
async function clears(...tabs: Sync[]): Promise<void> {
  const { name } = await databaseOf(tabs[0]!);
  const databases = await Promise.all(tabs.map(databaseOf));
  const request = indexedDB.deleteDatabase(name);
  for (const database of databases) forceCloseDatabase(database as never);
  await new Promise(resolve => (request.onsuccess = resolve));
}

describe('a database that the browser closes', () => {
  test('is opened again automatically, and every call succeeds', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    const goals = sync.collection<{ id: string }>('goal');
    await goals.put({ id: 'a' });
    await sync.flush();
    await closes(sync);
    await rest();
    expect(sync.status.connection).toBe('live');
    await goals.put({ id: 'b' });
    await sync.flush();
    expect((await goals.all()).map(goal => goal.id)).toEqual(['a', 'b']);
    expect(world.batches.map(batch => batch.entities[0]!.id)).toEqual(['a', 'b']);
  });

  test.each([0, 1, 2, 3, 5, 8, 13])('%i turns of the event loop after a write began does not lose the write', async turns => {
    const world = new FakeWorld();
    const sync = await live(world);
    const written = sync.collection('goal').put({ id: 'g' });
    for (let i = 0; i < turns; i++) await new Promise(resolve => setImmediate(resolve));
    await closes(sync);
    await written;
    await sync.flush();
    expect(await sync.collection('goal').get('g')).toBeDefined();
    expect(new Set(world.batches.map(batch => batch.key)).size).toBe(1);
  });

  test('is opened again if the browser sends no close event, as on iOS', async () => {
    const sync = await opened(new FakeWorld(), { offline: true });
    (await databaseOf(sync)).close();
    await sync.collection('goal').put({ id: 'g' });
    expect(await sync.collection('goal').all()).toHaveLength(1);
  });

  test('stays closed after close()', async () => {
    const world = new FakeWorld();
    const sync = await world.open({ offline: true });
    await sync.close();
    await expect(sync.collection('goal').put({ id: 'g' })).rejects.toThrow();
    expect(sync.status.connection).toBe('closed');
  });
});

describe('data that the browser deleted', () => {
  const stored = { body: { goals: [{ id: 'kept', version: 3, updatedAt: '2026-11-22T10:00:00.000Z' }], syncToken: 'e.3', lastSeq: 3 } };

  test.each([1, 2])('is fetched again, and the number of lost unsent edits is reported, in %i tabs', async count => {
    const shared = new FakeTabs();
    const name = `cleared${Math.random()}`;
    const worlds = Array.from({ length: count }, () => new FakeWorld(shared));
    worlds[0]!.answer = request => (request.path === '/api/sync/pull' ? stored : request.path === '/api/sync/batch' ? 'hangs' : undefined);
    const first = await live(worlds[0]!, { name, device: undefined });
    const tabs = [first];
    for (const world of worlds.slice(1)) tabs.push(await opened(world, { name, device: undefined }));
    await first.collection('goal').put({ id: 'unsent' });
    await soon(() => expect(tabs.map(tab => tab.status.pending)).toEqual(tabs.map(() => 1)));
    const lost: number[][] = tabs.map(() => []);
    const shown: string[] = [];
    tabs.forEach((tab, i) => tab.on('lost', event => lost[i]!.push(event.edits)));
    tabs.at(-1)!.collection<{ id: string }>('goal').subscribe(goals => shown.push(goals.map(goal => goal.id).join()));
    await soon(() => expect(shown.at(-1)).toBe('kept,unsent'));
    await clears(...tabs);
    await soon(() => expect(shown.at(-1)).toBe('kept'));
    expect(lost).toEqual(tabs.map(() => [1]));
    await soon(() => expect(tabs.map(tab => tab.status)).toMatchObject(tabs.map(() => ({ connection: 'live', pending: 0, revision: 3 }))));
    const { device } = first.status;
    for (const tab of tabs) await tab.close();
    expect((await opened(worlds[0]!, { name, device: undefined, offline: true })).status.device).toBe(device);
  });

  test.each([true, false])('while a pull is under way is fetched again, also if the device is live: %s', async isLive => {
    const world = new FakeWorld();
    const [asked, answered] = [gate(), gate()];
    world.answer = async request => {
      if (request.path !== '/api/sync/pull') return undefined;
      if (!JSON.parse(request.body!).since) return stored;
      asked.open();
      await answered.opened;
      return { body: { syncToken: 'e.3', lastSeq: 3 } };
    };
    const sync = isLive ? await live(world) : await opened(world);
    await soon(async () => expect(await sync.collection('goal').all()).toHaveLength(1));
    sync.pull().catch(() => {});
    await asked.opened;
    await clears(sync);
    answered.open();
    await soon(async () => {
      await world.pass(1_000);
      expect(await sync.collection('goal').all()).toMatchObject([{ id: 'kept' }]);
    });
  });
});
