import { describe, expect, test } from 'vitest';
import { FakeWorld, gate, rest, soon, token, type Reply } from './support/fakeWorld.js';
import { live, opened } from './support/openDevice.js';
import { entry, ids, pulled } from './support/wire.js';

describe('the socket', () => {
  test('is opened with a ticket and never with the token', async () => {
    const world = new FakeWorld();
    await live(world);
    expect(world.socket.url).toMatch(/^wss:\/\/sync\.test\/sync\/ws\?ticket=t\d+&deviceId=d$/);
    expect(world.requests.map(request => request.path).filter(path => path.includes(token('ada')))).toEqual([]);
  });

  test('delivers changes, and resumes from its last revision after a reconnection', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    expect(world.socket.sent).toEqual([{ type: 'SYNC_REQUEST', lastSeq: 0 }]);
    await world.socket.says(entry('a', 1, 0));
    await world.socket.says(entry('b', 5, 1));
    await soon(() => expect(sync.status.revision).toBe(5));
    await world.socket.ends(1006);
    expect(sync.status.connection).toBe('waiting');
    await world.pass(1_000);
    await world.socket.opens();
    expect(world.socket.sent).toEqual([{ type: 'SYNC_REQUEST', lastSeq: 5 }]);
    expect(await ids(sync)).toEqual(['a', 'b']);
  });

  test('a gap is filled by a pull before the cursor moves', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    const pulls = world.to('/api/sync/pull').length;
    world.answer = request => (request.path === '/api/sync/pull' ? pulled(7, ['missed']) : undefined);
    await world.socket.says(entry('later', 9, 7));
    await soon(() => expect(sync.status.revision).toBe(9));
    expect(world.to('/api/sync/pull')).toHaveLength(pulls + 1);
    expect(await ids(sync)).toEqual(['later', 'missed']);
    expect(sync.status.connection).toBe('live');
  });

  test('a gap that cannot be filled now is requested again from the revision before it', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    world.answer = request => (request.path === '/api/sync/pull' ? 'lost' : undefined);
    await world.socket.says(entry('later', 9, 7));
    await soon(() => expect(sync.status.connection).toBe('waiting'));
    await world.pass(1_000);
    await world.socket.opens();
    expect(world.socket.sent).toEqual([{ type: 'SYNC_REQUEST', lastSeq: 0 }]);
  });

  test('a pull that fails after its socket does not cancel the reconnection', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await world.socket.says(entry('a', 1, 0));
    await soon(() => expect(sync.status.revision).toBe(1));
    const { opened, open: fail } = gate();
    const failed = opened.then((): Reply => 'lost');
    world.answer = request => (request.path === '/api/sync/pull' ? failed : undefined);
    await world.socket.says(entry('later', 9, 7));
    await world.socket.ends(1006);
    expect(sync.status.connection).toBe('waiting');
    fail();
    await rest();
    await world.pass(1_000);
    expect(world.sockets).toHaveLength(2);
  });

  test('a gap that a pull does not fill closes the connection: later changes are not applied, and the gap is requested again', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    world.answer = request => (request.path === '/api/sync/pull' ? pulled(4, ['some']) : undefined);
    await world.socket.says(entry('later', 9, 7));
    await world.socket.says({ type: 'SYNC_RESPONSE', message: 'Sync complete', lastSeq: 9 });
    await soon(() => expect(sync.status).toMatchObject({ connection: 'waiting', revision: 4 }));
    await world.pass(1_000);
    await world.socket.opens();
    expect(world.socket.sent).toEqual([{ type: 'SYNC_REQUEST', lastSeq: 4 }]);
  });

  test('an unknown event triggers a pull, which returns the change in a known form', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    world.answer = request => (
      request.path === '/api/sync/pull'
        ? { body: { other: { score: [{ id: 's', version: 3, updatedAt: '2026-11-22T10:00:00.000Z' }] }, syncToken: 'e.3', lastSeq: 3 } }
        : undefined);
    await world.socket.says({ type: 'SCORE_ANNOTATED', annotation: { score: 's' }, seq: 3, after: 0 });
    await soon(() => expect(sync.status).toMatchObject({ connection: 'live', revision: 3 }));
    expect(await sync.collection('score').all()).toHaveLength(1);
  });

  test('a late failure of an earlier connection\'s pull does not affect the new connection', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await world.socket.says(entry('a', 1, 0));
    await soon(() => expect(sync.status.revision).toBe(1));
    const { opened, open: fail } = gate();
    const failed = opened.then((): Reply => 'lost');
    world.answer = request => (request.path === '/api/sync/pull' ? failed : undefined);
    await world.socket.says(entry('later', 9, 7));
    await world.socket.ends(1006);
    await world.pass(1_000);
    await world.socket.opens();
    expect(world.sockets).toHaveLength(2);
    world.answer = () => undefined;
    fail();
    await rest();
    await world.socket.says({ type: 'SYNC_RESPONSE', message: 'No new data to sync', lastSeq: 1 });
    await soon(() => expect(sync.status.connection).toBe('live'));
    expect(world.socket.isClosed).toBe(false);
  });

  test('a server that drops each connection once it is live is retried with back-off', async () => {
    const world = new FakeWorld();
    await live(world);
    world.random = 0;
    const began = world.now;
    const times: number[] = [];
    for (let i = 1; i < 10; i++) {
      await world.socket.ends(1006);
      for (let waited = 0; world.sockets.length === i && waited < 200_000; waited += 50) await world.pass(50);
      times.push(world.now - began);
      await world.socket.lives();
    }
    // Five requests at one cursor within half a second is a bug, whatever the dice say.
    for (let i = 4; i < times.length; i++) expect(times[i]! - times[i - 4]!).toBeGreaterThan(500);
    // And with luck of another kind it backs off like from any other failure.
    world.random = 1;
    await world.socket.ends(1006);
    await world.pass(20_000);
    expect(world.sockets).toHaveLength(10);
  });

  test('a connection that lasted resets the back-off', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    for (let i = 1; i < 4; i++) {
      await world.pass(60_000);
      await world.socket.ends(1006);
      await world.pass(1_000);
      expect(world.sockets).toHaveLength(i + 1);
      await world.socket.lives();
      await soon(() => expect(sync.status.connection).toBe('live'));
    }
  });

  test.each(
    [
      [1012, 1_000], [1013, 1_000], [1001, 1_000], [1006, 1_000], [1008, 8_000], [4401, 1_000], [4403, 2_000], [4429, 32_000]
    ])('after close code %i the device reconnects within %i ms',
    async (code, ms) =>
      {
    const world = new FakeWorld();
    await live(world);
    await world.socket.ends(code);
    await world.pass(ms - 1);
    expect(world.sockets).toHaveLength(1);
    await world.pass(1);
    expect(world.sockets).toHaveLength(2);
  });

  test.each([[4401, 2], [4403, 2], [1012, 1]])('after close code %i the token callback has been called %i times', async (code, tokens) => {
    const world = new FakeWorld();
    let asked = 0;
    await live(world, { token: () => token('ada', { n: ++asked }) });
    await world.socket.ends(code);
    await world.pass(10_000);
    expect(asked).toBe(tokens);
  });

  test('is retried without end, with jitter and growing waits', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    const times: number[] = [];
    sync.on('frame', frame => frame.direction === 'out' && frame.label.endsWith('ticket') && times.push(world.now));
    world.answer = request => (request.path === '/api/sync/ticket' ? 'lost' : undefined);
    world.random = 0.5;
    await world.socket.ends(1006);
    await world.pass(300_000);
    expect(times.slice(1, 9).map((time, i) => time - times[i]!)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    world.answer = () => undefined;
    while (world.sockets.length < 2) await world.pass(1_000);
    await world.socket.lives();
    await soon(() => expect(sync.status.connection).toBe('live'));
  });

  test('sends a new token over the socket before the old one expires', async () => {
    const world = new FakeWorld();
    let asked = 0;
    const sync = await live(world, { token: () => token('ada', { n: ++asked, iat: world.now / 1000, exp: world.now / 1000 + 600 }) });
    await world.pass(539_000);
    expect(asked).toBe(1);
    await world.pass(2_000);
    expect(asked).toBe(2);
    expect(world.socket.sent.filter(frame => frame.type === 'AUTH')).toMatchObject([{ token: expect.stringContaining('h.') }]);
    await world.socket.says({ type: 'AUTHENTICATED', expiresAt: '' });
    await world.pass(540_000);
    expect(asked).toBe(3);
    expect(sync.status.connection).toBe('live');
    expect(world.sockets).toHaveLength(1);
  });

  test('does not put tokens into the `frame` events', async () => {
    const world = new FakeWorld();
    const logged: unknown[] = [];
    const sync = await opened(world, { token: () => token('ada', { secret: 1, iat: world.now / 1000, exp: world.now / 1000 + 600 }) });
    sync.on('frame', frame => logged.push(frame));
    await soon(() => expect(world.sockets).toHaveLength(1));
    await world.socket.lives();
    await world.pass(541_000);
    expect(world.socket.sent.some(frame => frame.type === 'AUTH')).toBe(true);
    expect(JSON.stringify(logged)).not.toContain(token('ada', { secret: 1 }).slice(0, 20));
    // Nor does what opens a socket in a token's place.
    const tickets = world.sockets.map(socket => new URL(socket.url).searchParams.get('ticket')!);
    expect(tickets).toEqual([expect.stringMatching(/./)]);
    for (const ticket of tickets) expect(JSON.stringify(logged)).not.toContain(`"${ticket}"`);
  });

  test('sends pings, and closes a silent connection', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await world.pass(30_000);
    expect(world.socket.sent.at(-1)).toEqual({ type: 'PING' });
    await world.pass(90_000);
    world.socket.isMute = true;
    await world.pass(70_000);
    expect(sync.status.connection).toBe('live');
    await world.pass(31_000);
    expect(world.sockets[0]!.isClosed).toBe(true);
    expect(world.sockets).toHaveLength(2);
  });

  test('a malformed frame closes the connection, and the next connection resumes', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    for (const data of ['<html>', 'null', '7']) world.sockets[0]!.onmessage!({ data });
    await rest();
    expect(sync.status.connection).toBe('waiting');
    await world.pass(1_000);
    await world.socket.lives();
    expect(sync.status.connection).toBe('live');
  });

  test.each([-1, 1])('a clock that jumps by years (%i) does not hide a dead connection', async years => {
    const world = new FakeWorld();
    await live(world);
    world.socket.isMute = true;
    const timers = world.shift(years * 365 * 86_400_000);
    await world.pass(years < 0 ? 70_000 : 29_000);
    expect(world.sockets).toHaveLength(1);
    await world.pass(31_000);
    expect(timers).toBeGreaterThan(0);
    expect(world.sockets[0]!.isClosed).toBe(true);
    expect(world.sockets.length).toBeGreaterThan(1);
  });

  test('an edit after a stored one has that one as its base, not a later revision from the socket', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    const { opened: answered, open: answer } = gate();
    world.answer = async request => {
      if (request.path === '/api/sync/batch') await answered;
      return undefined;
    };
    const entries = sync.collection<{ id: string; notes: string }>('logbook_entry');
    const first = await entries.put({ id: 'e', notes: 'one' });
    await soon(() => expect(world.batches).toHaveLength(1));
    await entries.put({ ...first, notes: 'two' });
    await world.socket.says(
      { type: 'ENTRY_UPDATED', entry: { id: 'e', notes: 'theirs', version: 8, updatedAt: '2039-01-01T00:00:00.000Z' }, seq: 1, after: 0 });
    expect(await entries.get('e')).toMatchObject({ notes: 'two' });
    answer();
    await sync.flush();
    expect(world.batches[1]).toMatchObject({ entities: [{ data: { notes: 'two' }, baseVersion: 1 }] });
  });

  test('goOffline() disconnects at once, and goOnline() reconnects at once', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    world.answer = request => (request.path === '/api/sync/batch' ? 'hangs' : undefined);
    await sync.collection('goal').put({ id: 'g' });
    await soon(() => expect(world.batches).toHaveLength(1));
    sync.goOffline();
    expect(world.socket.isClosed).toBe(true);
    await world.pass(10_000);
    expect(world.batches).toHaveLength(1);
    expect(sync.status).toMatchObject({ connection: 'offline', queue: 'held', pending: 1, offline: true });
    world.answer = () => undefined;
    sync.goOnline();
    await soon(() => expect(sync.status.pending).toBe(0));
    expect(world.batches[1]!.key).toBe(world.batches[0]!.key);
  });
});
