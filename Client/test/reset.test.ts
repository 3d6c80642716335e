import { describe, expect, test } from 'vitest';
import { FakeWorld, gate, soon } from './support/fakeWorld.js';
import { live } from './support/openDevice.js';
import { entry, ids, pulled } from './support/wire.js';

describe('a reset history', () => {
  test('replaces stored documents and keeps unsent edits', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await world.socket.says(entry('old', 3, 0));
    await soon(async () => expect(await ids(sync)).toEqual(['old']));
    world.answer = request => (
      request.path === '/api/sync/batch' ? 'hangs' : request.path === '/api/sync/pull' ? pulled(
        1_000_000_001, ['new'], { reset: true }) : undefined);
    await sync.collection('logbook_entry').put({ id: 'unsent' });
    await world.socket.says({ type: 'SYNC_RESPONSE', message: 'Sync reset', reset: true, lastSeq: 0 });
    await soon(async () => expect(await ids(sync)).toEqual(['new', 'unsent']));
    const [last] = world.to('/api/sync/pull').slice(-1);
    expect(JSON.parse(last!.body!)).not.toHaveProperty('since');
    await soon(() => expect(sync.status.revision).toBe(1_000_000_001));
  });

  test('is noticed by a device at revision 0, which pulls with its token because revision 0 exists in every epoch', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await sync.collection('goal').put({ id: 'lost in the restore' });
    await sync.flush();
    expect(sync.status.revision).toBe(0);
    await world.socket.ends(1012);
    world.answer = request => (
      request.path === '/api/sync/pull'
        ? pulled(1_000_000_000, ['restored'], { reset: JSON.parse(request.body!).since === 'e.0', syncToken: 'new.1000000000' })
        : undefined);
    await world.pass(1_000);
    await world.socket.opens();
    expect(world.socket.sent).toEqual([{ type: 'SYNC_REQUEST', lastSeq: 1_000_000_000 }]);
    expect(await sync.collection('goal').all()).toEqual([]);
    expect(await ids(sync)).toEqual(['restored']);
  });

  test('takes the base versions of the old epoch off queued edits', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    await world.socket.says(entry('e', 5, 0));
    const { opened: answered, open: answer } = gate();
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

  test('is not undone by a late answer from before it', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    const { opened: answered, open: answer } = gate();
    world.answer = async request => {
      if (request.path === '/api/sync/pull') return pulled(1_000_000_009, [], { reset: true });
      if (request.path !== '/api/sync/batch') return undefined;
      await answered;
      const results = ['created', 'unchanged', 'conflict'].map(
        (status, i) =>
          ({ entityType: 'goal', entityId: 'abc'[i], status, seq: 5 + i, version: 5 + i, updatedAt: '2039-01-01T00:00:00.000Z' }));
      const server = { id: 'c', version: 7, updatedAt: '2039-01-01T00:00:00.000Z' };
      const conflicts = [{ entityType: 'goal', entityId: 'c', reason: 'stale', message: '', server }];
      return {
        body: {
          results, conflicts, newSyncToken: 'old.7', lastSeq: 7,
          changes: { goals: [{ id: 'd', version: 4, updatedAt: '2038-01-01T00:00:00.000Z' }] }
        }
      };
    };
    await sync.collection('goal').putAll([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    await soon(() => expect(world.batches).toHaveLength(1));
    await world.socket.says({ type: 'SYNC_RESPONSE', message: 'Sync reset', reset: true, lastSeq: 0 });
    await soon(() => expect(sync.status.revision).toBe(1_000_000_009));
    answer();
    await sync.flush();
    expect(await sync.collection('goal').all()).toEqual([]);
  });

  test.each([
    ['without a place in the order', { type: 'ENTRY_UPDATED', entry: { id: 'gone', version: 2, updatedAt: '2026-11-22T10:00:00.000Z' } }],
    ['with one', entry('gone', 4, 3)],
    ['that starts over', { type: 'SYNC_RESPONSE', message: 'Sync reset', reset: true, lastSeq: 0 }],
  ])('is not mixed with a frame of the history before, %s', async (_, frame) => {
    const world = new FakeWorld();
    world.answer = ({ path }) => (path === '/api/sync/pull' ? pulled(3, ['gone']) : undefined);
    const sync = await live(world);
    world.answer = ({ path, body }) => (path === '/api/sync/pull'
      ? pulled(1_000_000_001, ['new'], { reset: !body!.includes('e.1000000001') })
      : undefined);
    await sync.pull();
    const { socket } = world;
    const pulls = () => world.requests.filter(({ path }) => path === '/api/sync/pull').length;
    const before = pulls();
    await socket.says(frame);
    await soon(() => expect(socket.isClosed).toBe(true));
    expect(pulls()).toBe(before);
    expect(await ids(sync)).toEqual(['new']);
    while (world.socket === socket) await world.pass(1_000);
    await world.socket.lives(1_000_000_001);
    await world.socket.says(entry('later', 1_000_000_002, 1_000_000_001));
    await soon(async () => expect(await ids(sync)).toEqual(['later', 'new']));
  });

  test('keeps its token when an answer of the history before comes late', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    const { opened: answered, open: answer } = gate();
    world.answer = async ({ path, body }) => {
      if (path === '/api/sync/pull') return pulled(1_000_000_001, [], { reset: true, syncToken: 'new.1000000001' });
      if (path !== '/api/sync/batch' || world.batches.length > 1) return undefined;
      const late = { body: { ...world.accepted(JSON.parse(body!)), newSyncToken: 'old.4', lastSeq: 4 } };
      await answered;
      return late;
    };
    const goals = sync.collection('goal');
    await goals.put({ id: 'first' });
    await soon(() => expect(world.batches).toHaveLength(1));
    await sync.pull();
    answer();
    await sync.flush();
    await goals.put({ id: 'second' });
    await sync.flush();
    expect(JSON.parse(world.batches[1]!.text)).toMatchObject({ syncToken: 'new.1000000001' });
  });

  test('takes the token of an answer whose change the socket brought first', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    const { opened: answered, open: answer } = gate();
    world.answer = async ({ path, body }) => {
      if (path !== '/api/sync/batch' || world.batches.length > 1) return undefined;
      const own = { body: { ...world.accepted(JSON.parse(body!)), newSyncToken: 'e.2', lastSeq: 2 } };
      await answered;
      return own;
    };
    const goals = sync.collection('goal');
    await goals.put({ id: 'first' });
    await soon(() => expect(world.batches).toHaveLength(1));
    await world.socket.says(entry('first', 2, 0));
    answer();
    await sync.flush();
    await goals.put({ id: 'second' });
    await sync.flush();
    expect(JSON.parse(world.batches[1]!.text)).toMatchObject({ syncToken: 'e.2' });
  });

  test('does not store the winner that an answer of the history before brings late', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    const { opened: answered, open: answer } = gate();
    world.answer = async ({ path }) => {
      if (path === '/api/sync/pull') return pulled(1_000_000_001, [], { reset: true, syncToken: 'new.1000000001' });
      if (path !== '/api/sync/batch') return undefined;
      const server = { id: 'g', version: 2, updatedAt: '2036-01-01T00:00:00.000Z' };
      const late = { body: {
        results: [{ entityType: 'goal', entityId: 'g', status: 'conflict', version: 2 }],
        conflicts: [{ entityType: 'goal', entityId: 'g', reason: 'stale', server }], newSyncToken: 'old.4', lastSeq: 4,
      } };
      await answered;
      return late;
    };
    await sync.collection('goal').put({ id: 'g' });
    await soon(() => expect(world.batches).toHaveLength(1));
    await sync.pull();
    answer();
    await sync.flush();
    expect(await sync.collection('goal').all()).toEqual([]);
  });
});
