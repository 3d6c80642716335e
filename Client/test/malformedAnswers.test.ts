import { describe, expect, test } from 'vitest';
import { FakeWorld, rest, soon } from './support/fakeWorld.js';
import { live, opened } from './support/openDevice.js';

// Malformed answers: none of them may be treated as an answer of the server.

const held = { body: { entries: [{ id: 'kept', version: 3, updatedAt: '2026-11-22T10:00:00.000Z' }], syncToken: 'e.3', lastSeq: 3 } };

describe('a 200 with an unknown body', () => {
  test.each(
    [
      [{}], [{ success: true }], [[]], [null], ['ok'], [{ syncToken: 'e.4' }], [{ syncToken: 4, lastSeq: 4 }],
      [{ syncToken: 'e.4', lastSeq: '4' }]
    ])('to a pull leaves the store and the cursor as they are: %j',
    async body =>
      {
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/pull' ? held : undefined);
    const sync = await opened(world);
    await soon(() => expect(sync.status.revision).toBe(3));
    world.answer = request => (request.path === '/api/sync/pull' ? { body } : undefined);
    await expect(sync.pull()).rejects.toMatchObject({ code: 'UNKNOWN_ANSWER' });
    expect(sync.status.revision).toBe(3);
    world.answer = () => undefined;
    await sync.pull();
    expect(JSON.parse(world.to('/api/sync/pull').at(-1)!.body!)).toMatchObject({ since: 'e.3' });
    expect(await sync.collection('logbook_entry').get('kept')).toBeDefined();
  });

  test('to the first pull replaces nothing', async () => {
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/pull' ? { body: {} } : undefined);
    const sync = await opened(world);
    await rest();
    expect(sync.status.connection).toBe('waiting');
    world.answer = request => (request.path === '/api/sync/pull' ? held : undefined);
    await world.pass(1_000);
    expect(world.to('/api/sync/pull').map(request => JSON.parse(request.body!).since)).toEqual([undefined, undefined]);
    expect(sync.status.revision).toBe(3);
  });

  test.each(
    [
      [{}], [[]], [null], [{ results: [], conflicts: [], newSyncToken: 'e.1' }],
      [{ results: [{ entityType: 'goal', entityId: 'g', status: 'updated' }, {}], conflicts: [], newSyncToken: 'e.1' }],
      [{ results: [{ entityType: 'goal', entityId: 'g', status: 'updated' }], newSyncToken: 'e.1' }],
      [{ results: [null], conflicts: [], newSyncToken: 'e.1' }],
      [{ results: [{ entityType: 'goal', entityId: 'g', status: 'deferred' }], conflicts: [], newSyncToken: 'e.1' }],
  ])('to a batch acknowledges nothing: %j', async body => {
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/batch' ? { body } : undefined);
    const sync = await opened(world);
    await sync.collection('goal').put({ id: 'g' });
    await soon(() => expect(sync.status).toMatchObject({ queue: 'waiting', pending: 1, poisoned: 0 }));
    world.answer = () => undefined;
    await world.pass(1_000);
    expect(sync.status.pending).toBe(0);
    expect(world.batches[1]!.key).toBe(world.batches[0]!.key);
  });

  test('to a ticket request opens no socket', async () => {
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/ticket' ? { body: {} } : undefined);
    const sync = await opened(world);
    await soon(() => expect(sync.status.connection).toBe('waiting'));
    expect(world.sockets).toEqual([]);
  });
});

describe('an item of a batch', () => {
  test('is matched to its result by position, because the server leaves out an unusable id', async () => {
    const world = new FakeWorld();
    world.answer = request => request.path === '/api/sync/batch' ? { body: {
      results: [
        { entityType: 'goal', entityId: '', status: 'refused', seq: 0, version: 0 },
        { entityType: 'goal', entityId: 'ok', status: 'created', seq: 1, version: 1, updatedAt: '2026-11-22T10:00:00.000Z' }
      ],
      conflicts: [{ entityType: 'goal', entityId: '', reason: 'invalid', message: 'no usable id' }], newSyncToken: 'e.0',
      lastSeq: 0 } } : undefined;
    const sync = await opened(world);
    await sync.collection('goal').putAll([{ id: 'bad' }, { id: 'ok' }]);
    await sync.flush();
    expect(await sync.queue()).toMatchObject([{ id: 'bad', state: 'poisoned', error: { code: 'invalid', message: 'no usable id' } }]);
    expect(await sync.collection('goal').get('ok')).toMatchObject({ version: 1 });
  });
});

describe('a conflict without the winner\'s copy', () => {
  const winner = { id: 'g', title: 'theirs', version: 8, updatedAt: '2039-01-01T00:00:00.000Z' };
  const beaten = { results: [{ entityType: 'goal', entityId: 'g', status: 'conflict', seq: 8, version: 8 }],
    conflicts: [{ entityType: 'goal', entityId: 'g', reason: 'stale', message: 'later' }], newSyncToken: 'e.8', lastSeq: 8 };

  test.each(['live', 'polling'])('makes the device fetch everything at once: %s', async state => {
    const world = new FakeWorld();
    const sync = state === 'live' ? await live(world) : await opened(world, { platform: { ...world.platform(), WebSocket: undefined } });
    await soon(() => expect(sync.status.connection).toBe(state));
    await rest();
    const since: unknown[] = [];
    world.answer = request => {
      if (request.path === '/api/sync/batch') return { body: beaten };
      if (request.path !== '/api/sync/pull') return undefined;
      since.push(JSON.parse(request.body!).since);
      return { body: { goals: [winner], syncToken: 'e.8', lastSeq: 8 } };
    };
    await sync.collection('goal').put({ id: 'g', title: 'mine' });
    await rest();
    expect(since).toEqual([undefined]);
    expect(await sync.collection('goal').get('g')).toEqual(winner);
    expect(sync.status).toMatchObject({ connection: state, pending: 0, revision: 8 });
  });

  test('makes the device fetch everything once a lost network is back', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    world.answer = request => (request.path === '/api/sync/batch' ? { body: beaten } : 'lost');
    await sync.collection('goal').put({ id: 'g', title: 'mine' });
    await soon(() => expect(sync.status.connection).toBe('waiting'));
    world.answer = request => (request.path === '/api/sync/pull' ? { body: { goals: [winner], syncToken: 'e.8', lastSeq: 8 } } : undefined);
    await world.pass(2_000);
    expect(await sync.collection('goal').get('g')).toEqual(winner);
  });
});
