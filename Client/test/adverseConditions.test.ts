import { describe, expect, test } from 'vitest';
import { FakeTabs, FakeWorld, rest, soon, token } from './support/fakeWorld.js';
import { live, opened } from './support/openDevice.js';
import { page } from './support/page.js';

// The calls of the API under adverse conditions.

describe('goOnline()', () => {
  test('goes online although the browser reports no network', async () => {
    page(false);
    const world = new FakeWorld();
    const sync = await opened(world);
    await rest();
    expect(sync.status).toMatchObject({ connection: 'offline', offline: true });
    sync.goOnline();
    await sync.collection('goal').put({ id: 'g' });
    await sync.flush();
    expect(sync.status.offline).toBe(false);
  });

  test('in a follower takes the leader online', async () => {
    page(false);
    const shared = new FakeTabs();
    const [old, fresh] = [new FakeWorld(shared), new FakeWorld(shared)];
    const name = `tabs${Math.random()}`;
    const [first, second] = [await opened(old, { name }), await opened(fresh, { name })];
    second.goOnline();
    await soon(() => expect(first.status.connection).toBe('connecting'));
  });

  test('lasts until the browser next reports a lost network', async () => {
    const browser = page(false);
    const sync = await opened(new FakeWorld());
    sync.goOnline();
    browser.fire('offline');
    await soon(() => expect(sync.status.connection).toBe('offline'));
    browser.fire('online');
    await soon(() => expect(sync.status.connection).toBe('connecting'));
  });
});

describe('after a network returns', () => {
  /** Two devices' worth of failures: the next tries are a minute away. */
  async function longWaiting() {
    const browser = page(true);
    const world = new FakeWorld();
    const sync = await live(world);
    world.answer = () => 'lost';
    await sync.collection('goal').put({ id: 'g' });
    await world.socket.ends(1006);
    for (let s = 0; s < 130; s++) await world.pass(1_000);
    expect(sync.status).toMatchObject({ connection: 'waiting', queue: 'waiting', pending: 1 });
    world.answer = () => undefined;
    return { browser, world, sync };
  }

  test('the back-off ends when the browser reports the network', async () => {
    const { browser, world, sync } = await longWaiting();
    browser.fire('online');
    await soon(() => expect(sync.status.pending).toBe(0));
    await soon(() => expect(world.sockets).toHaveLength(2));
  });

  test('the back-off ends when the page is shown again', async () => {
    const { browser, world, sync } = await longWaiting();
    browser.fire('visibilitychange');
    await soon(() => expect(sync.status.pending).toBe(0));
    await soon(() => expect(world.sockets).toHaveLength(2));
  });

  test('the back-off ends when flush() delivers an edit', async () => {
    const { world, sync } = await longWaiting();
    await sync.flush();
    await soon(() => expect(world.sockets).toHaveLength(2));
  });

  test('edits are sent once polling reaches the server again', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { platform: { ...world.platform(), WebSocket: undefined } });
    await soon(() => expect(sync.status.connection).toBe('polling'));
    world.answer = () => 'lost';
    await sync.collection('goal').put({ id: 'g' });
    for (let s = 0; s < 200; s++) await world.pass(1_000);
    world.answer = () => undefined;
    const from = world.requests.length;
    while (
      !world.requests.slice(from).some(
        request => request.path === '/api/sync/pull' || request.path === '/api/sync/batch')) await world.pass(500);
    await rest();
    expect(sync.status.pending).toBe(0);
  });
});

describe('flush()', () => {
  test('rejects after a minute with the last error if the server is unreachable', async () => {
    const world = new FakeWorld();
    world.answer = () => 'lost';
    const sync = await opened(world);
    await sync.collection('goal').put({ id: 'g' });
    let said: unknown;
    void sync.flush().catch(error => (said = error));
    for (let s = 0; s < 59; s++) await world.pass(1_000);
    expect(said).toBeUndefined();
    await world.pass(2_000);
    expect(said).toMatchObject({ name: 'SyncFailure', code: 'OFFLINE', message: expect.stringContaining('The server cannot be reached') });
    expect(sync.status.pending).toBe(1);
  });

  test('waits for the given time, and longer while edits are acknowledged', async () => {
    const world = new FakeWorld();
    const sync = await opened(world);
    let said: unknown;
    world.answer = () => 'lost';
    await sync.collection('goal').put({ id: 'a' });
    void sync.flush(10).catch(error => (said = error));
    await world.pass(9_000);
    expect(said).toBeUndefined();
    await world.pass(2_000);
    expect(said).toBeDefined();
  });
});

test('a token callback receives the refused token', async () => {
  const world = new FakeWorld();
  const [old, fresh] = [1, 2].map(n => token('ada', { n }));
  const told: (string | undefined)[] = [];
  world.answer = request => (
    request.headers.authorization === `Bearer ${old}` ? { status: 401, body: { code: 'TOKEN_EXPIRED' } } : undefined);
  const sync = await opened(world, { token: (refused?: string) => (told.push(refused), refused === undefined ? old! : fresh!) });
  await sync.collection('goal').put({ id: 'g' });
  await sync.flush();
  expect(told).toEqual([undefined, old]);
});

describe('signOut()', () => {
  test('waits at most five seconds for another tab, and empties the database', async () => {
    const world = new FakeWorld();
    const sync = await world.open({ offline: true });
    await sync.collection('goal').put({ id: 'g', title: 'secret' });
    // A frozen tab: it has the database open and hears nothing.
    const frozen = await new Promise<IDBDatabase>(resolve => {
      const request = indexedDB.open(world.database);
      request.onsuccess = () => resolve(request.result);
    });
    let isOut = false;
    void sync.signOut().then(() => (isOut = true));
    await rest();
    expect(isOut).toBe(false);
    const left = await new Promise<unknown[]>(resolve => {
      const request = frozen.transaction('queue').objectStore('queue').getAll();
      request.onsuccess = () => resolve(request.result);
    });
    expect(left).toEqual([]);
    await world.pass(5_000);
    expect(isOut).toBe(true);
    expect(world.timersLeft).toBe(0);
    frozen.close();
    await soon(async () => expect((await indexedDB.databases()).map(database => database.name)).not.toContain(world.database));
  });
});

describe('another address of the server', () => {
  const OLD = 'https://old.sync.test';
  const reopened = async (world: FakeWorld, options: object) => {
    const sync = await opened(world, options);
    const left: unknown[] = [];
    sync.on('leftBehind', event => left.push(event));
    await rest();
    return { sync, left };
  };

  test('is reported with its unsent edits, and formerUrl takes them over', async () => {
    const world = new FakeWorld();
    const name = `${Math.random()}`;
    const before = await world.open({ name, url: OLD, offline: true });
    await before.collection('goal').put({ id: 'g', title: 'unsent' });
    await before.close();
    const { sync: unaware, left } = await reopened(world, { name, offline: true });
    expect(left).toEqual([{ url: OLD, edits: 1 }]);
    expect(await unaware.queue()).toEqual([]);
    const { sync, left: none } = await reopened(world, { name, formerUrl: `${OLD}/` });
    expect(none).toEqual([]);
    await sync.flush();
    expect(world.batches).toMatchObject([{ entities: [{ id: 'g', data: { title: 'unsent' } }] }]);
  });

  test('is not reported for other users, other names, or without unsent edits', async () => {
    const world = new FakeWorld();
    const name = `${Math.random()}`;
    for (
      const options of [
        { name, token: token('ben') }, { name: `${name}2` }
      ]) await (await opened(world, { ...options, url: OLD, offline: true }))
      .collection('goal')
      .put({ id: 'g' });
    await opened(world, { name, url: OLD, offline: true });
    expect((await reopened(world, { name, offline: true })).left).toEqual([]);
  });
});
