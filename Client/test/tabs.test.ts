import { afterEach, describe, expect, test } from 'vitest';
import type { Sync } from '../src/index.js';
import { FakeTabs, FakeWorld, rest, soon, token } from './support/fakeWorld.js';

const open: Sync[] = [];
afterEach(async () => {
  for (const sync of open.splice(0)) await sync.close();
});

/** Tabs of one browser, each with its own world, and one store. */
async function tabs(count: number, name = `tabs${Math.random()}`): Promise<{ world: FakeWorld; sync: Sync }[]> {
  const shared = new FakeTabs();
  const found = [];
  for (let i = 0; i < count; i++) {
    const world = new FakeWorld(shared);
    const sync = await world.open({ name });
    open.push(sync);
    found.push({ world, sync });
    await rest();
  }
  return found;
}

describe('two tabs', () => {
  test('have one leader, the first: only it has a socket, and the follower shows its status', async () => {
    const [first, second] = await tabs(2);
    await soon(() => expect(first!.world.sockets).toHaveLength(1));
    await first!.world.socket.lives();
    await soon(() => expect(second!.sync.status).toMatchObject({ leader: false, connection: 'live' }));
    expect(first!.sync.status).toMatchObject({ leader: true, connection: 'live' });
    expect(second!.world.requests).toEqual([]);
  });

  test('both show what the follower writes, and the leader sends it', async () => {
    const [first, second] = await tabs(2);
    const seen: number[] = [];
    first!.sync.collection('goal').subscribe(docs => seen.push(docs.length));
    await second!.sync.collection('goal').put({ id: 'g' });
    await second!.sync.flush();
    await soon(() => expect(seen.at(-1)).toBe(1));
    expect(first!.world.batches).toMatchObject([{ entities: [{ id: 'g' }] }]);
    expect(second!.world.batches).toEqual([]);
  });

  test('both show what the leader receives', async () => {
    const [first, second] = await tabs(2);
    const seen: string[] = [];
    second!.sync.collection<{ id: string }>('goal').subscribe(docs => seen.push(docs.map(doc => doc.id).join()));
    await soon(() => expect(first!.world.sockets).toHaveLength(1));
    await first!.world.socket.lives();
    await first!.world.socket.says(
      { type: 'GOAL_UPDATED', goal: { id: 'g', version: 1, updatedAt: '2026-11-22T10:00:00.000Z' }, seq: 1, after: 0 });
    await soon(() => expect(seen.at(-1)).toBe('g'));
    expect(second!.sync.status.revision).toBe(1);
  });

  test('change the leader when the first closes, and the second sends what the first could not', async () => {
    const [first, second] = await tabs(2);
    first!.world.answer = request => (request.path === '/api/sync/batch' ? 'hangs' : undefined);
    await first!.sync.collection('goal').put({ id: 'g' });
    await soon(() => expect(first!.world.batches).toHaveLength(1));
    await first!.sync.close();
    await soon(() => expect(second!.sync.status).toMatchObject({ leader: true, pending: 0 }));
    expect(second!.world.batches).toEqual(first!.world.batches);
  });

  test('stay offline after goOffline() when the second takes over', async () => {
    const name = 'switched';
    const shared = new FakeTabs();
    const [old, fresh] = [new FakeWorld(shared), new FakeWorld(shared)];
    const first = await old.open({ name, offline: true });
    await soon(() => expect(first.status.connection).toBe('offline'));
    const second = await fresh.open({ name });
    open.push(second);
    await soon(() => expect(second.status).toMatchObject({ leader: false, connection: 'offline', offline: true }));
    await first.close();
    await soon(() => expect(second.status).toMatchObject({ leader: true, connection: 'offline' }));
    expect(fresh.requests).toEqual([]);
  });

  test('do not make a closed follower the leader later', async () => {
    const [first, second, third] = await tabs(3);
    await second!.sync.close();
    await first!.sync.close();
    await soon(() => expect(third!.sync.status.leader).toBe(true));
    expect(second!.world.requests).toEqual([]);
  });

  test('both follow goOffline() and setToken()', async () => {
    const [first, second] = await tabs(2);
    second!.sync.goOffline();
    await soon(() => expect(first!.sync.status).toMatchObject({ connection: 'offline', offline: true }));
    await soon(() => expect(second!.sync.status).toMatchObject({ connection: 'offline', offline: true }));
    second!.sync.goOnline();
    first!.world.answer = () => ({ status: 401, body: { code: 'TOKEN_EXPIRED' } });
    const events: string[] = [];
    second!.sync.on('signedOut', event => events.push(event.code));
    await soon(() => expect(events).toEqual(['TOKEN_EXPIRED']));
    first!.world.answer = () => undefined;
    second!.sync.setToken(token('ada', { fresh: 1 }));
    await soon(() => expect(first!.sync.status.connection).toBe('connecting'));
    await soon(() => expect(first!.world.requests.at(-1)!.headers.authorization).toBe(`Bearer ${token('ada', { fresh: 1 })}`));
  });

  test('both close without data when one signs out', async () => {
    const [first, second] = await tabs(2, 'out');
    await first!.sync.collection('goal').put({ id: 'g' });
    const events: boolean[] = [];
    first!.sync.on('signedOut', event => events.push(event.erased));
    await second!.sync.signOut();
    await soon(() => expect(events).toEqual([true]));
    expect((await indexedDB.databases()).filter(database => database.name!.includes(':out:'))).toEqual([]);
    expect(first!.sync.status.connection).toBe('closed');
  });

  test('that first open at the same time share one device id', async () => {
    const shared = new FakeTabs();
    const worlds = [new FakeWorld(shared), new FakeWorld(shared), new FakeWorld(shared)];
    open.push(...(await Promise.all(worlds.map(world => world.open({ name: 'at once', device: undefined })))));
    expect(new Set(open.map(sync => sync.status.device)).size).toBe(1);
  });

  test.each([['locks', { locks: undefined }], ['channels', { BroadcastChannel: undefined }]])(
    'without %s are both leaders, and send the same batch with one key', async (_, without) => {
    const shared = new FakeTabs();
    const worlds = [new FakeWorld(shared), new FakeWorld(shared)];
    const name = `alone${Math.random()}`;
    const [first, second] = await Promise.all(worlds.map(world => world.open({ name, platform: { ...world.platform(), ...without } })));
    open.push(first!, second!);
    await soon(() => expect([first!.status.leader, second!.status.leader]).toEqual([true, true]));
    await second!.collection('goal').put({ id: 'g' });
    await second!.flush();
    const sent = worlds.flatMap(world => world.batches);
    expect(new Set(sent.map(batch => batch.key)).size).toBe(1);
    expect(await first!.collection('goal').get('g')).toBeDefined();
  });

  test('without locks still show each other\'s changes', async () => {
    const shared = new FakeTabs();
    const worlds = [new FakeWorld(shared), new FakeWorld(shared)];
    const [first, second] = await Promise.all(
      worlds.map(world => world.open({ name: 'lan', platform: { ...world.platform(), locks: undefined } })));
    open.push(first!, second!);
    const seen: number[] = [];
    first!.collection('goal').subscribe(docs => seen.push(docs.length));
    await second!.collection('goal').put({ id: 'g' });
    await soon(() => expect(seen.at(-1)).toBe(1));
  });

  test('of different devices in one browser have a leader each', async () => {
    const shared = new FakeTabs();
    const [left, right] = [new FakeWorld(shared), new FakeWorld(shared)];
    open.push(await left.open({ name: 'left' }), await right.open({ name: 'right' }));
    await soon(() => expect(open.map(sync => sync.status.leader)).toEqual([true, true]));
  });
});
