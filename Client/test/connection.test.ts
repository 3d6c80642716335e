import { afterEach, describe, expect, test } from 'vitest';
import type { Sync } from '../src/index.js';
import { Digest } from '../src/pure/digest.js';
import { FakeWorld, rest, soon, token } from './support/fake.js';

const open: Sync[] = [];
async function opened(world: FakeWorld, options = {}): Promise<Sync> {
  const sync = await world.open(options);
  open.push(sync);
  return sync;
}
afterEach(async () => {
  for (const sync of open.splice(0)) await sync.close();
});

/** One that is live, at revision `lastSeq`. */
async function live(world: FakeWorld, options = {}): Promise<Sync> {
  const sync = await opened(world, options);
  await soon(() => expect(world.sockets).toHaveLength(1));
  await world.socket.lives();
  await soon(() => expect(sync.status.connection).toBe('live'));
  return sync;
}

const entry = (id: string, seq: number, after: number) => ({ type: 'ENTRY_UPDATED', entry: { id, version: seq, updatedAt: new Date(seq * 1_000).toISOString() }, seq, after });
const pulled = (seq: number, ids: string[], more = {}) => ({ body: { entries: ids.map(id => ({ id, version: seq, updatedAt: new Date(seq * 1_000).toISOString() })), syncToken: `e.${seq}`, lastSeq: seq, ...more } });
const ids = async (sync: Sync) => (await sync.collection<{ id: string }>('logbook_entry').all()).map(doc => doc.id);

describe('the socket', () => {
  test('is opened with a ticket and never with the token', async () => {
    const world = new FakeWorld();
    await live(world);
    expect(world.socket.url).toMatch(/^wss:\/\/sync\.test\/sync\/ws\?ticket=t\d+&deviceId=d$/);
    expect(world.requests.map(request => request.path).filter(path => path.includes(token('ada')))).toEqual([]);
  });

  test('brings changes, and asks from where it stands when it comes back', async () => {
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

  test('a hole is filled by a pull before the cursor moves', async () => {
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

  test('a hole that cannot be filled now is asked for again from before it', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    world.answer = request => (request.path === '/api/sync/pull' ? 'lost' : undefined);
    await world.socket.says(entry('later', 9, 7));
    await soon(() => expect(sync.status.connection).toBe('waiting'));
    await world.pass(1_000);
    await world.socket.opens();
    expect(world.socket.sent).toEqual([{ type: 'SYNC_REQUEST', lastSeq: 0 }]);
  });

  test('a pull that fails after its socket has does not call the reconnection off', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await world.socket.says(entry('a', 1, 0));
    await soon(() => expect(sync.status.revision).toBe(1));
    let fail = () => {};
    const failed = new Promise<'lost'>(resolve => (fail = () => resolve('lost')));
    world.answer = request => (request.path === '/api/sync/pull' ? failed : undefined);
    await world.socket.says(entry('later', 9, 7));
    await world.socket.ends(1006);
    expect(sync.status.connection).toBe('waiting');
    fail();
    await rest();
    await world.pass(1_000);
    expect(world.sockets).toHaveLength(2);
  });

  test('a hole that a pull does not fill ends the connection: what lies behind it is not taken, nor is the hole forgotten', async () => {
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

  test('an event that nobody here knows is fetched by a pull, which has it in a form that is known', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    world.answer = request => (request.path === '/api/sync/pull' ? { body: { other: { score: [{ id: 's', version: 3, updatedAt: '2026-11-22T10:00:00.000Z' }] }, syncToken: 'e.3', lastSeq: 3 } } : undefined);
    await world.socket.says({ type: 'SCORE_ANNOTATED', annotation: { score: 's' }, seq: 3, after: 0 });
    await soon(() => expect(sync.status).toMatchObject({ connection: 'live', revision: 3 }));
    expect(await sync.collection('score').all()).toHaveLength(1);
  });

  test('a pull of an earlier connection that fails late leaves the new one alone', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await world.socket.says(entry('a', 1, 0));
    await soon(() => expect(sync.status.revision).toBe(1));
    let fail = () => {};
    const failed = new Promise<'lost'>(resolve => (fail = () => resolve('lost')));
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

  test('a server that drops every connection as soon as it is live is not hammered', async () => {
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

  test('one that has lasted is a success: the next failure is the first', async () => {
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

  test('a reset replaces what is there and keeps what is unsent', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await world.socket.says(entry('old', 3, 0));
    await soon(async () => expect(await ids(sync)).toEqual(['old']));
    world.answer = request => (request.path === '/api/sync/batch' ? 'hangs' : request.path === '/api/sync/pull' ? pulled(1_000_000_001, ['new'], { reset: true }) : undefined);
    await sync.collection('logbook_entry').put({ id: 'unsent' });
    await world.socket.says({ type: 'SYNC_RESPONSE', message: 'Sync reset', reset: true, lastSeq: 0 });
    await soon(async () => expect(await ids(sync)).toEqual(['new', 'unsent']));
    const [last] = world.to('/api/sync/pull').slice(-1);
    expect(JSON.parse(last!.body!)).not.toHaveProperty('since');
    await soon(() => expect(sync.status.revision).toBe(1_000_000_001));
  });

  test.each([[1012, 1_000], [1013, 1_000], [1001, 1_000], [1006, 1_000], [1008, 8_000], [4401, 1_000], [4403, 2_000], [4429, 32_000]])('close code %i: back within %i ms', async (code, ms) => {
    const world = new FakeWorld();
    await live(world);
    await world.socket.ends(code);
    await world.pass(ms - 1);
    expect(world.sockets).toHaveLength(1);
    await world.pass(1);
    expect(world.sockets).toHaveLength(2);
  });

  test.each([[4401, 2], [4403, 2], [1012, 1]])('close code %i: tokens asked for: %i', async (code, tokens) => {
    const world = new FakeWorld();
    let asked = 0;
    await live(world, { token: () => token('ada', { n: ++asked }) });
    await world.socket.ends(code);
    await world.pass(10_000);
    expect(asked).toBe(tokens);
  });

  test('comes back for ever, with jitter and ever longer waits', async () => {
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

  test('gets a fresh token in band, before the old one ends', async () => {
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

  test('tokens do not reach the log of frames', async () => {
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

  test('pings, and gives a silent connection up', async () => {
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

  test('blocked: polls, and tries a socket again every minute', async () => {
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

  test('polling waits as long as the server asks', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { platform: { ...world.platform(), WebSocket: undefined } });
    await soon(() => expect(sync.status.connection).toBe('polling'));
    await world.pass(100);
    world.answer = request => (request.path === '/api/sync/pull' ? { status: 503, body: { code: 'STORE_UNAVAILABLE' }, headers: { 'retry-after': '40' } } : undefined);
    await world.pass(5_000);
    const pulls = world.to('/api/sync/pull').length;
    await world.pass(39_000);
    expect(world.to('/api/sync/pull')).toHaveLength(pulls);
    await world.pass(2_000);
    expect(world.to('/api/sync/pull')).toHaveLength(pulls + 1);
  });

  test('opened by a proxy that lets nothing through: polls, too', async () => {
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

  test('forbidden by the page it is on: polls, too', async () => {
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

  test('a frame that is none ends the connection, and the next one goes on', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    for (const data of ['<html>', 'null', '7']) world.sockets[0]!.onmessage!({ data });
    await rest();
    expect(sync.status.connection).toBe('waiting');
    await world.pass(1_000);
    await world.socket.lives();
    expect(sync.status.connection).toBe('live');
  });

  test.each([-1, 1])('a clock set by years (%i), as by a laptop that slept, does not hide a connection that has died', async years => {
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

  test('none at all, as in Node 20: polls, and writes go out at once', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { platform: { ...world.platform(), WebSocket: undefined } });
    await soon(() => expect(sync.status.connection).toBe('polling'));
    await sync.collection('goal').put({ id: 'g' });
    await sync.flush();
    await world.pass(300_000);
    expect(sync.status.connection).toBe('polling');
  });

  test('none at all: what was written is fetched as it was stored, from the token before it', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { platform: { ...world.platform(), WebSocket: undefined } });
    await soon(() => expect(sync.status.connection).toBe('polling'));
    await world.pass(100); // The first poll's pull is over: it would take the token along.
    let stored: object[] = [];
    let since: string | undefined;
    world.answer = request => {
      if (request.path === '/api/sync/pull' && stored.length) since ??= JSON.parse(request.body!).since;
      if (request.path === '/api/sync/batch') stored = JSON.parse(request.body!).entities.map((entity: { data: object }) => ({ ...entity.data, instrument: 'piano', version: 1 }));
      return request.path === '/api/sync/pull' ? { body: { entries: stored, syncToken: 'e.1', lastSeq: 1 } } : undefined;
    };
    await sync.collection('logbook_entry').put({ id: 'e', instrument: 'PIANO' });
    await soon(() => expect(sync.status.revision).toBe(1));
    expect(since).toBe('e.0');
    expect(await sync.collection('logbook_entry').get('e')).toMatchObject({ instrument: 'piano', version: 1 });
  });

  test('an edit behind one that was stored names that one, not what the socket has brought since', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    let answer = () => {};
    const answered = new Promise<void>(resolve => (answer = resolve));
    world.answer = async request => {
      if (request.path === '/api/sync/batch') await answered;
      return undefined;
    };
    const entries = sync.collection<{ id: string; notes: string }>('logbook_entry');
    const first = await entries.put({ id: 'e', notes: 'one' });
    await soon(() => expect(world.batches).toHaveLength(1));
    await entries.put({ ...first, notes: 'two' });
    await world.socket.says({ type: 'ENTRY_UPDATED', entry: { id: 'e', notes: 'theirs', version: 8, updatedAt: '2039-01-01T00:00:00.000Z' }, seq: 1, after: 0 });
    expect(await entries.get('e')).toMatchObject({ notes: 'two' });
    answer();
    await sync.flush();
    expect(world.batches[1]).toMatchObject({ entities: [{ data: { notes: 'two' }, baseVersion: 1 }] });
  });

  test('a device that stands at the very start asks by its token, which is of one life of the history, as revision 0 is not', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await sync.collection('goal').put({ id: 'lost in the restore' });
    await sync.flush();
    expect(sync.status.revision).toBe(0);
    await world.socket.ends(1012);
    world.answer = request => (request.path === '/api/sync/pull' ? pulled(1_000_000_000, ['restored'], { reset: JSON.parse(request.body!).since === 'e.0', syncToken: 'new.1000000000' }) : undefined);
    await world.pass(1_000);
    await world.socket.opens();
    expect(world.socket.sent).toEqual([{ type: 'SYNC_REQUEST', lastSeq: 1_000_000_000 }]);
    expect(await sync.collection('goal').all()).toEqual([]);
    expect(await ids(sync)).toEqual(['restored']);
  });

  test('what waits while everything begins anew names no version of before', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await world.socket.says(entry('e', 5, 0));
    let answer = () => {};
    const answered = new Promise<void>(resolve => (answer = resolve));
    world.answer = async request => {
      if (request.path === '/api/sync/pull') return pulled(1_000_000_009, ['e'], { reset: true, syncToken: 'new.1000000009' });
      if (request.path === '/api/sync/batch' && world.batches.length === 1) await answered;
      return undefined;
    };
    const entries = sync.collection<{ id: string; version?: number }>('logbook_entry');
    await sync.collection('goal').put({ id: 'g' });
    await soon(() => expect(world.batches).toHaveLength(1));
    await entries.put({ ...(await entries.get('e'))! });
    expect(await sync.queue()).toMatchObject([{ id: 'g' }, { id: 'e', doc: { version: 5 } }]);
    await world.socket.says({ type: 'SYNC_RESPONSE', message: 'Sync reset', reset: true, lastSeq: 0 });
    await soon(() => expect(sync.status.revision).toBe(1_000_000_009));
    expect(await entries.get('e')).toMatchObject({ version: 0 });
    answer();
    await sync.flush();
    expect(world.batches[1]).toMatchObject({ entities: [{ id: 'e' }] });
    expect(world.batches[1]!.entities[0]).not.toHaveProperty('baseVersion');
  });

  test('an answer that comes after everything began anew brings nothing back', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    let answer = () => {};
    const answered = new Promise<void>(resolve => (answer = resolve));
    world.answer = async request => {
      if (request.path === '/api/sync/pull') return pulled(1_000_000_009, [], { reset: true });
      if (request.path !== '/api/sync/batch') return undefined;
      await answered;
      const results = ['created', 'unchanged', 'conflict'].map((status, i) => ({ entityType: 'goal', entityId: 'abc'[i], status, seq: 5 + i, version: 5 + i, updatedAt: '2039-01-01T00:00:00.000Z' }));
      const conflicts = [{ entityType: 'goal', entityId: 'c', reason: 'stale', message: '', server: { id: 'c', version: 7, updatedAt: '2039-01-01T00:00:00.000Z' } }];
      return { body: { results, conflicts, newSyncToken: 'old.7', lastSeq: 7, changes: { goals: [{ id: 'd', version: 4, updatedAt: '2038-01-01T00:00:00.000Z' }] } } };
    };
    await sync.collection('goal').putAll([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    await soon(() => expect(world.batches).toHaveLength(1));
    await world.socket.says({ type: 'SYNC_RESPONSE', message: 'Sync reset', reset: true, lastSeq: 0 });
    await soon(() => expect(sync.status.revision).toBe(1_000_000_009));
    answer();
    await sync.flush();
    expect(await sync.collection('goal').all()).toEqual([]);
  });

  test('offline cuts everything at once, online brings it back at once', async () => {
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

describe('a pull', () => {
  test('goes on from its token, is 304 while nothing changed, and takes pages', async () => {
    const world = new FakeWorld();
    const bodies: unknown[] = [];
    const pages = [pulled(2, ['a'], { hasMore: true }), pulled(4, ['b']), { ...pulled(4, []), headers: { etag: 'W/"x"' } }];
    world.answer = request => {
      if (request.path !== '/api/sync/pull') return undefined;
      bodies.push([JSON.parse(request.body!).since, request.headers['if-none-match']]);
      return pages.shift() ?? { status: 304 };
    };
    const sync = await live(world);
    await sync.pull();
    await sync.pull();
    expect(bodies).toEqual([[undefined, undefined], ['e.2', undefined], ['e.4', undefined], ['e.4', 'W/"x"']]);
    expect(await ids(sync)).toEqual(['a', 'b']);
  });

  test('a replacement that breaks off between pages replaces nothing', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await world.socket.says(entry('old', 3, 0));
    await soon(() => expect(sync.status.revision).toBe(3));
    const pages = [pulled(2, ['a'], { hasMore: true, reset: true })];
    world.answer = request => (request.path === '/api/sync/pull' ? (pages.shift() ?? 'lost') : undefined);
    await expect(sync.pull()).rejects.toThrow();
    expect(await ids(sync)).toEqual(['old']);
    expect(sync.status.revision).toBe(3);
  });

  test('the token of a write moves nothing: the next pull still asks from what was received', async () => {
    const world = new FakeWorld();
    world.answer = request => request.path === '/api/sync/batch' ? { body: { ...world.accepted(JSON.parse(request.body!)), newSyncToken: 'e.99', lastSeq: 99 } } : undefined;
    const sync = await live(world);
    await sync.collection('goal').put({ id: 'g' });
    await sync.flush();
    expect(sync.status.revision).toBe(0);
    await sync.pull();
    expect(JSON.parse(world.to('/api/sync/pull').at(-1)!.body!)).toMatchObject({ since: 'e.0' });
    // But it goes with the next write: its epoch makes the base version count.
    await sync.collection('goal').put({ id: 'h' });
    await sync.flush();
    expect(world.batches.map(batch => batch.syncToken)).toEqual(['e.0', 'e.0']);
  });

  test('another digest at the same revision heals itself, once', async () => {
    const world = new FakeWorld();
    const digest = new Digest();
    digest.add('logbook_entry', 'a', 4);
    const sync = await live(world);
    const healed: number[] = [];
    sync.on('healed', event => healed.push(event.revision));
    await world.socket.says(entry('ghost', 4, 0));
    await soon(() => expect(sync.status.revision).toBe(4));
    world.answer = request => (request.path === '/api/sync/pull' ? pulled(4, JSON.parse(request.body!).since ? [] : ['a'], { digest: String(digest) }) : undefined);
    await sync.pull();
    expect(await ids(sync)).toEqual(['a']);
    expect(healed).toEqual([4]);
    const pulls = world.to('/api/sync/pull').length;
    await world.pass(301_000);
    expect(world.to('/api/sync/pull')).toHaveLength(pulls + 1);
    expect(healed).toEqual([4]);
  });

  test('a difference that fetching anew does not mend is not fetched again and again', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    world.answer = request => (request.path === '/api/sync/pull' ? pulled(4, ['a'], { digest: 'never ours' }) : undefined);
    await sync.pull();
    const whole = () => world.to('/api/sync/pull').filter(request => !JSON.parse(request.body!).since).length;
    const before = whole();
    await world.pass(86_400_000);
    expect(whole() - before).toBeGreaterThan(3);
    expect(whole() - before).toBeLessThan(12);
  });

  test('digests are not compared at different revisions', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await world.socket.says(entry('ahead', 9, 0));
    await soon(() => expect(sync.status.revision).toBe(9));
    world.answer = request => (request.path === '/api/sync/pull' ? pulled(4, [], { digest: 'another' }) : undefined);
    const pulls = world.to('/api/sync/pull').length;
    await sync.pull();
    expect(world.to('/api/sync/pull')).toHaveLength(pulls + 1);
    expect(await ids(sync)).toEqual(['ahead']);
  });
});

describe('the conflict feed', () => {
  test('is listed over its pages; an entry is restored or discarded', async () => {
    const world = new FakeWorld();
    const row = (id: string) => ({ id, entityType: 'goal', entityId: 'g', reason: 'stale', winnerVersion: 2, createdAt: '', document: { id: 'g', title: id } });
    world.answer = request => request.path.startsWith('/api/sync/conflicts?') ? { body: request.path.includes('after=c1') ? { conflicts: [row('c2')], hasMore: false } : { conflicts: [row('c1')], hasMore: true, next: 'c1' } }
      : request.method === 'DELETE' ? { status: 204 } : undefined;
    const sync = await live(world);
    const [first, second] = await sync.conflicts();
    expect([first, second]).toMatchObject([{ id: 'c1', type: 'goal', document: { title: 'c1' } }, { id: 'c2' }]);
    const pulls = world.to('/api/sync/pull').length;
    await first!.restore();
    await second!.discard();
    expect(world.to('/api/sync/conflicts/').map(request => `${request.method} ${request.path}`)).toEqual(['POST /api/sync/conflicts/c1/restore', 'DELETE /api/sync/conflicts/c2']);
    expect(world.to('/api/sync/pull')).toHaveLength(pulls + 1);
  });
});

describe('who subscribes', () => {
  test('misses nothing for a moment in which the store could not be read', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    const goals = sync.collection<{ id: string }>('goal');
    const seen: string[] = [];
    goals.subscribe(docs => seen.push(docs.map(doc => doc.id).join()));
    await goals.put({ id: 'a' });
    await soon(() => expect(seen.at(-1)).toBe('a'));
    const { store } = sync as unknown as { store: { get: unknown } };
    store.get = () => Promise.reject(new Error('the disk stutters'));
    await goals.put({ id: 'b' });
    await rest();
    delete store.get;
    await goals.put({ id: 'c' });
    await soon(() => expect(seen.at(-1)).toBe('a,b,c'));
  });

  test('is told at once, then of every change, until it has had enough', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    const goals = sync.collection<{ id: string }>('goal');
    await goals.put({ id: 'a' });
    const seen: string[] = [];
    const end = goals.subscribe(docs => seen.push(docs.map(doc => doc.id).join()));
    await soon(() => expect(seen.at(-1)).toBe('a'));
    await goals.put({ id: 'b' });
    await world.socket.says({ type: 'GOAL_DELETED', goalId: 'a', deletedAt: '2039-01-01T00:00:00.000Z', version: 9, seq: 1, after: 0 });
    await soon(() => expect(seen.at(-1)).toBe('b'));
    end();
    const { length } = seen;
    await goals.put({ id: 'c' });
    await rest();
    expect(seen).toHaveLength(length);
    const again: string[] = [];
    goals.subscribe(docs => again.push(docs.map(doc => doc.id).join()));
    await soon(() => expect(again).toEqual(['b,c']));
  });
});
