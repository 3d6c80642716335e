import { describe, expect, test } from 'vitest';
import { FakeWorld, soon } from './support/fakeWorld.js';
import { opened } from './support/openDevice.js';
import { ids, pulled } from './support/wire.js';

describe('a device without a socket', () => {
  test('polls if sockets are blocked, and tries a socket again every minute', async () => {
    const world = new FakeWorld();
    const sync = await opened(world);
    for (let i = 1; i <= 3; i++) {
      await soon(() => expect(world.sockets).toHaveLength(i));
      await world.socket.ends(1006);
      if (i < 3) await world.pass(4_000);
    }
    expect(sync.status).toMatchObject({ connection: 'polling', queue: 'idle' });
    world.answer = request => (request.path === '/api/sync/pull' ? pulled(3, ['polled']) : undefined);
    await world.pass(5_000);
    expect(await ids(sync)).toEqual(['polled']);
    await world.pass(60_000);
    expect(world.sockets).toHaveLength(4);
    await world.socket.lives(3);
    expect(sync.status.connection).toBe('live');
  });

  test('waits with its next poll as long as the server asks', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { platform: { ...world.platform(), WebSocket: undefined } });
    await soon(() => expect(sync.status.connection).toBe('polling'));
    await world.pass(100);
    world.answer = request => (
      request.path === '/api/sync/pull'
        ? { status: 503, body: { code: 'STORE_UNAVAILABLE' }, headers: { 'retry-after': '40' } }
        : undefined);
    await world.pass(5_000);
    const pulls = world.to('/api/sync/pull').length;
    await world.pass(39_000);
    expect(world.to('/api/sync/pull')).toHaveLength(pulls);
    await world.pass(2_000);
    expect(world.to('/api/sync/pull')).toHaveLength(pulls + 1);
  });

  test('polls if a proxy opens sockets but passes no frame', async () => {
    const world = new FakeWorld();
    const sync = await opened(world);
    for (let i = 1; i <= 3; i++) {
      while (world.sockets.length < i) await world.pass(500);
      const { socket } = world;
      await socket.opens();
      await world.pass(9_000);
      expect(socket.isClosed).toBe(false);
      await world.pass(1_000);
      expect(socket.isClosed).toBe(true);
    }
    await soon(() => expect(sync.status.connection).toBe('polling'));
    world.answer = request => (request.path === '/api/sync/pull' ? pulled(3, ['polled']) : undefined);
    await world.pass(5_000);
    expect(await ids(sync)).toEqual(['polled']);
  });

  test('polls if the page\'s content security policy forbids sockets', async () => {
    const world = new FakeWorld();
    const forbidden = class {
      constructor() {
        throw new DOMException('An insecure WebSocket may not be opened from a page loaded over HTTPS.', 'SecurityError');
      }
    };
    const sync = await opened(world, { platform: { ...world.platform(), WebSocket: forbidden } });
    await world.pass(10_000);
    expect(sync.status.connection).toBe('polling');
  });

  test('polls without a WebSocket class, as in Node 20, and sends writes at once', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { platform: { ...world.platform(), WebSocket: undefined } });
    await soon(() => expect(sync.status.connection).toBe('polling'));
    await sync.collection('goal').put({ id: 'g' });
    await sync.flush();
    await world.pass(300_000);
    expect(sync.status.connection).toBe('polling');
  });

  test('fetches its own write as the server stored it', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { platform: { ...world.platform(), WebSocket: undefined } });
    await soon(() => expect(sync.status.connection).toBe('polling'));
    await world.pass(100); // The first poll's pull is over: it would take the token along.
    let stored: object[] = [];
    let since: string | undefined;
    world.answer = request => {
      if (request.path === '/api/sync/pull' && stored.length) since ??= JSON.parse(request.body!).since;
      if (request.path === '/api/sync/batch') stored = JSON.parse(request.body!).entities.map(
        (entity: { data: object }) => ({ ...entity.data, instrument: 'piano', version: 1 }));
      return request.path === '/api/sync/pull' ? { body: { entries: stored, syncToken: 'e.1', lastSeq: 1 } } : undefined;
    };
    await sync.collection('logbook_entry').put({ id: 'e', instrument: 'PIANO' });
    await soon(() => expect(sync.status.revision).toBe(1));
    expect(since).toBe('e.0');
    expect(await sync.collection('logbook_entry').get('e')).toMatchObject({ instrument: 'piano', version: 1 });
  });
});
