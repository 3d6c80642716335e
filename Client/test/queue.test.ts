import { describe, expect, test } from 'vitest';
import type { ConflictReport, QueuedEdit } from '../src/index.js';
import { FakeWorld, gate, rest, soon, type Reply } from './support/fakeWorld.js';
import { opened } from './support/openDevice.js';

const problem = (status: number, code: string, headers = {}) => ({ status, body: { code, error: `${code} it is` }, headers });

describe('the queue', () => {
  test('sends an edit at once, with an idempotency key', async () => {
    const world = new FakeWorld();
    const sync = await opened(world);
    const entry = await sync.collection('logbook_entry').put({ notes: 'slow' });
    await sync.flush();
    expect(world.batches).toMatchObject(
      [{ key: expect.stringMatching(/./), entities: [{ type: 'logbook_entry', id: entry.id, data: { notes: 'slow' } }] }]);
    expect(world.to('/api/sync/batch')[0]!.headers).toMatchObject({ 'x-device-id': 'd', 'x-sync-schema': '1' });
    expect(sync.status.pending).toBe(0);
  });

  test('keeps an edit until it is answered, and retries with the same bytes and key', async () => {
    const world = new FakeWorld();
    let isLost = true;
    world.answer = request => (isLost && request.path === '/api/sync/batch' ? 'lost' : undefined);
    const sync = await opened(world);
    await sync.collection('goal').put({ id: 'g', title: 'a' });
    await soon(() => expect(world.batches).toHaveLength(1));
    await rest();
    expect(sync.status).toMatchObject({ pending: 1, queue: 'waiting' });
    await sync.collection('goal').put({ id: 'g', title: 'b' });
    isLost = false;
    await world.pass(1_000);
    await sync.flush();
    const [first, second, third] = world.batches;
    expect([second!.key, second!.text]).toEqual([first!.key, first!.text]);
    expect(third).toMatchObject({ entities: [{ id: 'g', data: { title: 'b' }, baseVersion: 1 }] });
    expect(third!.key).not.toBe(first!.key);
  });

  test('a request that goOffline() aborts counts against no edit, and its batch is sent again unchanged', async () => {
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/batch' ? 'hangs' : undefined);
    const sync = await opened(world);
    await sync.collection('goal').put({ id: 'g' });
    for (let sent = 1; sent <= 5; sent++) {
      await soon(() => expect(world.batches).toHaveLength(sent));
      sync.goOffline();
      if (sent === 5) world.answer = () => undefined;
      sync.goOnline();
    }
    await sync.flush();
    expect(world.batches.map(({ key, text }) => [key, text])).toEqual(Array(6).fill([world.batches[0]!.key, world.batches[0]!.text]));
  });

  test('the answer to a batch without a token does not overwrite the token of a pull in between', async () => {
    const world = new FakeWorld();
    const waiting = new Map<string, (reply: Reply) => void>();
    world.answer = ({ path }) => (/pull|batch/.test(path) ? new Promise(resolve => waiting.set(path, resolve)) : undefined);
    const sync = await opened(world);
    await sync.collection('goal').put({ id: 'g' });
    await soon(() => expect([...waiting.keys()].sort()).toEqual(['/api/sync/batch', '/api/sync/pull']));
    expect(world.batches[0]!.syncToken).toBeUndefined();
    waiting.get('/api/sync/pull')!({ body: { syncToken: 'e.5', lastSeq: 5 } });
    await soon(() => expect(world.sockets).toHaveLength(1));
    await world.socket.lives(5);
    await soon(() => expect(sync.status).toMatchObject({ connection: 'live', revision: 5 }));
    waiting.get('/api/sync/batch')!({ body: { ...world.accepted({ entities: world.batches[0]!.entities }), newSyncToken: '0.0' } });
    world.answer = () => undefined;
    await sync.collection('goal').put({ id: 'h' });
    await soon(() => expect(world.batches).toHaveLength(2));
    expect(world.batches[1]).toMatchObject({ entities: [{ id: 'h' }], syncToken: 'e.5' });
  });

  test('a document that is not an object is refused, and nothing is queued', async () => {
    const sync = await opened(new FakeWorld());
    for (
      const bad of [
        null, undefined, 'text', 7
      ]) await expect(sync.collection('goal').put(bad as never)).rejects.toThrow('A document must be an object.');
    expect(await sync.queue()).toEqual([]);
  });

  test('putAll() queues edits in order, and of several edits of one entity the last in the place of the first', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { offline: true });
    const goals = sync.collection('goal');
    await goals.put({ id: 'c', title: 'there before' });
    await goals.putAll([{ id: 'b', title: '1' }, { id: 'a', title: '1' }, { id: 'c', title: '2' }, { id: 'b', title: '2' }]);
    expect((await sync.queue()).map(({ id, doc }) => [id, doc?.title])).toEqual([['c', '2'], ['b', '2'], ['a', '1']]);
    expect((await goals.all()).map(({ id, title }) => [id, title])).toEqual([['a', '1'], ['b', '2'], ['c', '2']]);
  });

  test('after a crash between request and answer, the same key and body are sent again', async () => {
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/batch' ? 'hangs' : undefined);
    const before = await opened(world, { name: 'crash' });
    await before.collection('goal').putAll([{ id: 'g', title: 'a' }, { id: 'h', title: 'b' }]);
    await soon(() => expect(world.batches).toHaveLength(1));
    await before.close();
    const next = new FakeWorld();
    const after = await opened(next, { name: 'crash' });
    expect(await after.collection('goal').all()).toHaveLength(2);
    await after.flush();
    expect(next.batches).toEqual(world.batches);
  });

  test('a captive portal\'s page is not an acknowledgement', async () => {
    const world = new FakeWorld();
    let isPortal = true;
    world.answer = request => (
      isPortal && request.path === '/api/sync/batch'
        ? { text: '<html>Please accept our terms', headers: { 'content-type': 'text/html' } }
        : undefined);
    const sync = await opened(world);
    await sync.collection('goal').put({ title: 'a' });
    await soon(() => expect(sync.status.queue).toBe('waiting'));
    expect(sync.status.pending).toBe(1);
    isPortal = false;
    await world.pass(1_000);
    await sync.flush();
  });

  test.each(
    [
      ['lost' as const], [problem(503, 'STORE_UNAVAILABLE')], [problem(503, 'AUTHORITY_UNAVAILABLE')], [problem(429, 'RATE_LIMITED')],
      [problem(408, 'BODY_TOO_SLOW')], [{ status: 502, text: 'Bad gateway' }]
    ])('retries without end and with growing waits while no edit is at fault: %j', async reply => {
    const world = new FakeWorld();
    let answers = 0;
    // Who does not reach the server with a batch does not reach it with anything else.
    const isAway = reply === 'lost' || 'text' in reply;
    world.answer = request => (request.path === '/api/sync/batch' ? ++answers <= 12 : isAway && answers <= 12) ? reply : undefined;
    const sync = await opened(world);
    const times: number[] = [];
    sync.on('frame', frame => frame.via === 'http' && frame.direction === 'out' && frame.label.endsWith('batch') && times.push(world.now));
    await sync.collection('goal').put({ title: 'a' });
    await world.pass(600_000);
    expect(sync.status).toMatchObject({ pending: 0, poisoned: 0 });
    expect(times.slice(1, 9).map((time, i) => time - times[i]!)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(new Set(world.batches.map(batch => batch.key)).size).toBe(1);
  });

  test('waits as long as Retry-After asks', async () => {
    const world = new FakeWorld();
    let answers = 0;
    world.answer = request => (
      request.path === '/api/sync/batch' && ++answers === 1 ? problem(503, 'BUSY', { 'retry-after': '7' }) : undefined);
    const sync = await opened(world);
    await sync.collection('goal').put({ title: 'a' });
    await world.pass(6_900);
    expect(world.batches).toHaveLength(1);
    await world.pass(200);
    expect(sync.status.pending).toBe(0);
  });

  test('flush() does not shorten a Retry-After', async () => {
    const world = new FakeWorld();
    let answers = 0;
    world.answer = request => (
      request.path === '/api/sync/batch' && ++answers === 1 ? problem(429, 'RATE_LIMITED', { 'retry-after': '7' }) : undefined);
    const sync = await opened(world);
    await sync.collection('goal').put({ title: 'a' });
    await soon(() => expect(sync.status.queue).toBe('waiting'));
    const flushed = sync.flush();
    await world.pass(6_000);
    expect(world.batches).toHaveLength(1);
    await world.pass(1_100);
    await flushed;
  });

  test('a Retry-After that is too long for a timer is cut, not skipped', async () => {
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/batch' ? problem(503, 'BUSY', { 'retry-after': '99999999' }) : undefined);
    const waits: number[] = [];
    const platform = world.platform();
    const sync = await opened(
      world, { platform: { ...platform, setTimeout: (run: () => void, ms: number) => (waits.push(ms), platform.setTimeout!(run, ms)) } });
    await sync.collection('goal').put({ title: 'a' });
    await soon(() => expect(sync.status.queue).toBe('waiting'));
    expect(Math.max(...waits)).toBe(3_600_000);
  });

  test('an edit that fails by its own error is tried five times, then parked and still shown, and the others are sent', async () => {
    const world = new FakeWorld();
    world.answer = request => (request.body?.includes('bad') ? problem(400, 'INVALID_SHAPE') : undefined);
    const sync = await opened(world);
    const poisoned: QueuedEdit[] = [];
    sync.on('poisoned', edit => poisoned.push(edit));
    await sync.collection('goal').putAll(Array.from({ length: 30 }, (_, i) => ({ id: `g${i}`, title: i === 17 ? 'bad' : 'good' })));
    await soon(() => expect(world.batches).toHaveLength(1));
    await rest();
    await world.pass(60_000);
    expect(world.batches.filter(batch => batch.text.includes('bad')).map(batch => batch.entities.length)).toEqual([30, 30, 10, 1, 1]);
    expect(poisoned).toMatchObject([{ id: 'g17', attempts: 5, state: 'poisoned', error: { code: 'INVALID_SHAPE' } }]);
    expect(await sync.queue()).toEqual(poisoned);
    expect(sync.status).toMatchObject({ pending: 0, poisoned: 1 });
    await sync.collection('goal').put({ id: 'later' });
    await sync.flush();
    expect(await sync.collection('goal').get('g17')).toMatchObject({ title: 'bad' });
  });

  test('a poisoned edit can be retried, discarded, or replaced by a new edit', async () => {
    const world = new FakeWorld();
    let refuses = true;
    world.answer = request => request.path === '/api/sync/batch'
      ? { body: world.accepted(JSON.parse(request.body!), id => (refuses && id !== 'ok' ? 'too_large' : undefined)) }
      : undefined;
    const sync = await opened(world);
    const goals = sync.collection<{ id: string; title?: string }>('goal');
    await goals.putAll([{ id: 'a' }, { id: 'b' }, { id: 'c', title: 'long' }, { id: 'ok' }]);
    await sync.flush();
    // The server's verdict on the very same document would not change: these are not tried again by themselves.
    expect(world.batches).toHaveLength(1);
    expect(await sync.queue()).toMatchObject(
      ['a', 'b', 'c'].map(id => ({ id, state: 'poisoned', attempts: 1, error: { code: 'too_large', message: 'no' } })));
    expect(await goals.all()).toHaveLength(4);
    const [a, b] = await sync.queue();
    refuses = false;
    await sync.discard(a!.n);
    await sync.retry(b!.n);
    await goals.put({ id: 'c', title: 'short' });
    await sync.flush();
    expect(sync.status).toMatchObject({ pending: 0, poisoned: 0 });
    expect((await goals.all()).map(goal => goal.id)).toEqual(['b', 'c', 'ok']);
  });

  test('a refused edit that a later edit replaced is dropped: it is not poisoned, and hides no changes of other devices', async () => {
    const world = new FakeWorld();
    const { opened: answered, open: answer } = gate();
    world.answer = async request => {
      if (request.path !== '/api/sync/batch') return undefined;
      await answered;
      return { body: world.accepted(JSON.parse(request.body!), () => (request.body!.includes('long') ? 'too_large' : undefined)) };
    };
    const sync = await opened(world);
    const goals = sync.collection<{ id: string; title: string }>('goal');
    await soon(() => expect(world.sockets).toHaveLength(1));
    await world.socket.lives();
    const first = await goals.put({ id: 'g', title: 'long' });
    await soon(() => expect(world.batches).toHaveLength(1));
    await goals.put({ ...first, title: 'short' });
    answer();
    await sync.flush();
    expect(await sync.queue()).toEqual([]);
    await world.socket.says(
      {
        type: 'GOAL_UPDATED', goal: { id: 'g', title: 'from elsewhere', version: 9, updatedAt: '2039-01-01T00:00:00.000Z' },
        seq: 1, after: 0
      });
    expect(await goals.get('g')).toMatchObject({ title: 'from elsewhere' });
  });

  test('a wait is not prolonged by a clock that is set back a year', async () => {
    const world = new FakeWorld();
    let isBad = true;
    world.answer = request => (isBad && request.path === '/api/sync/batch' ? problem(500, 'INTERNAL') : undefined);
    const sync = await opened(world);
    await sync.collection('goal').put({ id: 'g' });
    await soon(() => expect(world.batches).toHaveLength(1));
    await rest();
    isBad = false;
    world.shift(-365 * 86_400_000);
    await world.pass(60_000);
    expect(sync.status.pending).toBe(0);
  });

  const many = Array.from({ length: 20 }, (_, i) => ({ id: `g${i}` }));
  const passes = async (world: FakeWorld, ms: number) => {
    for (let waited = 0; waited < ms; waited += 2_000) await world.pass(2_000);
  };

  test.each([
    ['of the server, on batches only', problem(500, 'INTERNAL'), '/api/sync/batch'], ['of the server', problem(500, 'INTERNAL'), '/'],
    ...[500, 403, 401, 409, 400, 404, 503].flatMap(
      status =>
        [
          ['of a proxy, in JSON', { status, text: '{"code":"INTERNAL","error":"x"}' }, '/'] as const,
          ['of a proxy, on batches only', { status, text: '{"code":"X"}' }, '/api/sync/batch'] as const
        ]),
  ] as const)('twelve seconds of an error %s: %j on %s are blamed on no edit, token or device', async (_, reply, path) => {
    const world = new FakeWorld();
    world.random = 0.4;
    world.answer = request => (request.path.startsWith(path) ? reply : undefined);
    const sync = await opened(world);
    const events: string[] = [];
    for (const event of ['poisoned', 'refused', 'signedOut'] as const) sync.on(event, () => events.push(event));
    await sync.collection('goal').putAll(many);
    await soon(() => expect(world.requests.length).toBeGreaterThan(0));
    await passes(world, 12_000);
    world.answer = () => undefined;
    await passes(world, 120_000);
    expect(sync.status).toMatchObject({ pending: 0, poisoned: 0 });
    expect(events).toEqual([]);
  });

  test('after half an hour of status 500 edits are parked and reported once, and retried once the server recovers', async () => {
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/batch' ? problem(500, 'INTERNAL') : undefined);
    const sync = await opened(world);
    const named: string[] = [];
    sync.on('poisoned', edit => named.push(edit.id));
    await sync.collection('goal').putAll(many.slice(0, 3));
    await soon(() => expect(world.batches).toHaveLength(1));
    await passes(world, 1_800_000);
    expect(sync.status).toMatchObject({ pending: 0, poisoned: 3 });
    expect(named.sort()).toEqual(['g0', 'g1', 'g2']);
    expect(world.batches.length).toBeLessThan(30);
    world.answer = () => undefined;
    await passes(world, 1_800_000);
    expect(sync.status).toMatchObject({ pending: 0, poisoned: 0 });
    expect(named).toHaveLength(3);
  });

  test('put() rejects a value that JSON cannot represent, and the queue goes on', async () => {
    const world = new FakeWorld();
    const sync = await opened(world);
    const goals = sync.collection<Record<string, unknown>>('goal');
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    await expect(goals.put({ id: 'a', big: 10n })).rejects.toThrow(TypeError);
    await expect(goals.putAll([{ id: 'b' }, circle])).rejects.toThrow(TypeError);
    expect(await goals.all()).toEqual([]);
    // What JSON can say is kept as JSON says it, here as on the server.
    expect(await goals.put({ id: 'c', at: new Date(0), gone: undefined })).toEqual(
      { id: 'c', at: '1970-01-01T00:00:00.000Z', version: 0, updatedAt: expect.any(String) });
    await sync.flush();
    expect(world.batches.flatMap(batch => batch.entities.map(entity => entity.id))).toEqual(['c']);
  });

  test('an edit refused for a reason that may pass is tried five times', async () => {
    const world = new FakeWorld();
    world.answer = request => request.path === '/api/sync/batch'
      ? { body: world.accepted(JSON.parse(request.body!), () => 'quota') }
      : undefined;
    const sync = await opened(world);
    await sync.collection('goal').put({ id: 'a' });
    await world.pass(60_000);
    expect(world.batches).toHaveLength(5);
    expect(await sync.queue()).toMatchObject([{ attempts: 5, state: 'poisoned', error: { code: 'quota' } }]);
  });

  test('2,000 edits made offline are sent in order, in batches of one type and at most 1,000 items', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { offline: true });
    await sync.collection('logbook_entry').putAll(Array.from({ length: 2_000 }, (_, i) => ({ id: `e${i}` })));
    await sync.collection('goal').put({ id: 'g' });
    await rest();
    expect(sync.status).toMatchObject({ pending: 2_001, connection: 'offline', queue: 'held' });
    expect(world.requests).toEqual([]);
    sync.goOnline();
    await soon(() => expect(sync.status.pending).toBe(0));
    expect(world.batches.map(batch => batch.entities.length)).toEqual([1_000, 1_000, 1]);
    expect(
      world.batches.flatMap(batch => batch.entities.map(entity => entity.id))).toEqual([
        ...Array.from({ length: 2_000 }, (_, i) => `e${i}`), 'g'
      ]);
  });

  test('several unsent edits of one entity become one', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { offline: true });
    const goals = sync.collection<{ title: string }>('goal');
    const goal = await goals.put({ title: 'a' });
    await goals.put({ ...goal, title: 'b' });
    await goals.delete(goal.id);
    expect(await goals.get(goal.id)).toBeUndefined();
    sync.goOnline();
    await sync.flush();
    expect(world.batches).toMatchObject([{ entities: [{ id: goal.id, deleted: true }] }]);
  });

  test('a losing edit is reported with the winner, which is shown', async () => {
    const world = new FakeWorld();
    const winner = { id: 'g', title: 'theirs', version: 8, updatedAt: '2039-01-01T00:00:00.000Z' };
    world.answer = request => request.path === '/api/sync/batch' ? { body: {
      results: [{ entityType: 'goal', entityId: 'g', status: 'conflict', version: 8 }],
      conflicts: [{ entityType: 'goal', entityId: 'g', reason: 'stale', message: 'later', server: winner }], newSyncToken: 'e.8',
      lastSeq: 8 } } : undefined;
    const sync = await opened(world);
    const reports: ConflictReport[] = [];
    sync.on('conflict', report => reports.push(report));
    await sync.collection('goal').put({ id: 'g', title: 'mine' });
    await sync.flush();
    expect(await sync.collection('goal').get('g')).toEqual(winner);
    expect(reports).toMatchObject([{ type: 'goal', id: 'g', reason: 'stale', mine: { title: 'mine' }, theirs: { title: 'theirs' } }]);
    // The clock has seen the winner, and the next edit is later.
    expect(
      await sync.collection('goal').put({ ...winner, title: 'again' })).toMatchObject({
        updatedAt: '2039-01-01T00:00:00.001Z', version: 8
      });
  });
});
