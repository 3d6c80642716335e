import { describe, expect, test } from 'vitest';
import type { Sync } from '../src/index.js';
import { Disk } from './support/disk.js';
import { FakeTabs, FakeWorld, gate, rest, soon, type Reply, type Request } from './support/fakeWorld.js';
import { live, opened } from './support/openDevice.js';
import { entry, ids, pulled } from './support/wire.js';

interface Goal {
  id: string;
  title?: string;
}

const goals = (sync: Sync) => sync.collection<Goal>('goal');
const titles = async (sync: Sync) => (await goals(sync).all()).map(goal => goal.title);

/** A device with unsent edits, whose storage is full from now on. */
async function full(world = new FakeWorld(), options = {}): Promise<{ world: FakeWorld; sync: Sync; disk: Disk }> {
  const disk = new Disk();
  const sync = await opened(world, options);
  await sync.pull();
  sync.goOffline();
  await goals(sync).putAll([{ id: 'a', title: 'A' }, { id: 'b', title: 'B' }]);
  disk.room = 0;
  return { world, sync, disk };
}

/** The server holds a goal of another device, which is newer than ours. */
const theirs = { id: 'a', title: 'theirs', version: 7, updatedAt: '2036-01-01T00:00:00.000Z' };
const ours = { id: 'b', title: 'B', version: 6, updatedAt: '2027-01-15T08:00:00.000Z' };

/** Answers a batch with a conflict, and pulls with the winner. */
const loses = ({ path }: Request): Reply | undefined => {
  if (path.startsWith('/api/sync/pull')) return { body: { goals: [theirs, ours], syncToken: 'e.7', lastSeq: 7 } };
  if (!path.startsWith('/api/sync/batch')) return undefined;
  const results = ['a', 'b'].map(entityId => ({
    entityType: 'goal', entityId, status: entityId === 'a' ? 'conflict' : 'updated', version: 6,
  }));
  const conflicts = [{ entityType: 'goal', entityId: 'a', reason: 'stale', server: theirs }];
  return { body: { results, conflicts, newSyncToken: 'e.7', lastSeq: 7 } };
};

describe('a full device', () => {
  test('rejects put() with a message that names the remedy, changes nothing, and emits `quota` once', async () => {
    const { sync, disk } = await full();
    const reported: string[] = [];
    sync.on('quota', event => reported.push(event.message));
    const remedy = 'This device is full. Free space or delete documents online.';
    for (const doc of [{ id: 'a', title: 'changed' }, { id: 'c' }]) {
      await expect(goals(sync).put(doc)).rejects.toMatchObject({ name: 'QuotaExceededError', message: remedy });
    }
    expect(await titles(sync)).toEqual(['A', 'B']);
    expect(await sync.queue()).toHaveLength(2);
    await soon(() => expect(sync.status.full).toBe(true));
    expect(reported).toEqual([remedy]);
    disk.room = Infinity;
    await goals(sync).put({ id: 'c', title: 'C' });
    await soon(() => expect(sync.status.full).toBe(false));
  });

  test('sends queued edits once, and still shows them', async () => {
    const { world, sync } = await full();
    sync.goOnline();
    await sync.flush();
    expect(world.batches.map(batch => batch.entities.map(entity => entity.id))).toEqual([['a', 'b']]);
    expect(await sync.queue()).toEqual([]);
    expect(sync.status).toMatchObject({ pending: 0, full: true });
    expect(await titles(sync)).toEqual(['A', 'B']);
  });

  test('sends a batch that was stored before the device was full', async () => {
    const { world, sync, disk } = await full();
    disk.room = Infinity;
    world.answer = request => (request.path === '/api/sync/batch' ? 'lost' : undefined);
    sync.goOnline();
    await soon(() => expect(world.batches).toHaveLength(1));
    await rest();
    disk.room = 0;
    world.answer = () => undefined;
    await sync.flush();
    expect(new Set(world.batches.map(batch => batch.key)).size).toBe(1);
    expect(await sync.queue()).toEqual([]);
  });

  test('sends a batch again if the answer is lost', async () => {
    const { world, sync } = await full();
    let isLost = true;
    world.answer = request => (request.path === '/api/sync/batch' && isLost ? 'lost' : undefined);
    sync.goOnline();
    await soon(() => expect(world.batches).toHaveLength(1));
    await rest();
    isLost = false;
    await sync.flush();
    expect(world.batches).toHaveLength(2);
    expect(world.batches[1]!.text).toBe(world.batches[0]!.text);
  });

  test('still sends an edit that was made while a batch waited for its answer', async () => {
    const { world, sync, disk } = await full();
    const { opened: answered, open: answer } = gate();
    world.answer = async request => {
      if (request.path === '/api/sync/batch') await answered;
      return undefined;
    };
    sync.goOnline();
    await soon(() => expect(world.batches).toHaveLength(1));
    disk.room = Infinity;
    await goals(sync).put({ id: 'a', title: 'later' });
    world.answer = () => undefined;
    answer();
    await sync.flush();
    expect(world.batches.map(batch => batch.entities.map(entity => entity.data.title))).toEqual([['A', 'B'], ['later']]);
    expect(await titles(sync)).toEqual(['later', 'B']);
  });

  test('deletes a document on the server first, then locally', async () => {
    const { world, sync } = await full();
    sync.goOnline();
    await sync.flush();
    await goals(sync).delete('a');
    expect(world.batches.at(-1)!.entities).toMatchObject([{ id: 'a', deleted: true }]);
    expect(await titles(sync)).toEqual(['B']);
    expect(await sync.queue()).toEqual([]);
  });

  test('deletes a document together with its unsent edit', async () => {
    const { world, sync } = await full();
    world.answer = request => (request.path === '/api/sync/batch' && !request.body!.includes('"deleted":true') ? 'lost' : undefined);
    sync.goOnline();
    await goals(sync).delete('a');
    expect(await titles(sync)).toEqual(['B']);
    expect((await sync.queue()).map(edit => edit.id)).toEqual(['b']);
  });

  test('deletes documents in a follower tab', async () => {
    const shared = new FakeTabs();
    const name = `full${Math.random()}`;
    const { world, sync, disk } = await full(new FakeWorld(shared), { name });
    const second = await opened(new FakeWorld(shared), { name });
    sync.goOnline();
    await soon(() => expect(second.status).toMatchObject({ leader: false, full: true }));
    await sync.flush();
    await goals(second).delete('a');
    expect(await titles(sync)).toEqual(['B']);
    disk.room = Infinity;
    await goals(second).put({ id: 'c' });
    await second.flush();
    await soon(() => expect([sync.status.full, second.status.full]).toEqual([false, false]));
    expect(world.batches.flatMap(batch => batch.entities.map(entity => entity.id))).toEqual(['a', 'b', 'c']);
  });

  test('rejects a deletion while offline, and changes nothing', async () => {
    const { world, sync } = await full();
    await soon(() => expect(sync.status.connection).toBe('offline'));
    await expect(goals(sync).delete('a')).rejects.toMatchObject({ name: 'QuotaExceededError' });
    expect(await titles(sync)).toEqual(['A', 'B']);
    expect(await sync.queue()).toHaveLength(2);
    expect(world.batches).toEqual([]);
  });

  test('retries a refused edit with growing waits', async () => {
    const { world, sync } = await full();
    world.answer = request => (request.path === '/api/sync/batch' && request.body!.includes('"a"')
      ? { body: world.accepted(JSON.parse(request.body!), id => (id === 'a' ? 'too_large' : undefined)) }
      : undefined);
    sync.goOnline();
    await soon(() => expect(sync.status.queue).toBe('waiting'));
    await rest();
    expect(world.batches).toHaveLength(1);
    await world.pass(60_000);
    expect(world.batches.length).toBeGreaterThan(2);
    expect(world.batches.length).toBeLessThan(10);
    expect((await sync.queue()).map(edit => edit.id)).toEqual(['a']);
  });

  test('does not read parked edits from its database in a loop', async () => {
    const { world, sync, disk } = await full();
    disk.room = Infinity;
    world.answer = request => (request.path === '/api/sync/batch'
      ? { body: world.accepted(JSON.parse(request.body!), () => 'quota') }
      : undefined);
    sync.goOnline();
    for (let i = 0; i < 8; i++) await world.pass(60_000);
    expect(sync.status.poisoned).toBe(2);
    disk.room = 0;
    await world.pass(1_300_000);
    expect(sync.status.queue).toBe('waiting');
    world.answer = () => undefined;
    disk.room = Infinity;
    await world.pass(60_000);
    await soon(() => expect(sync.status).toMatchObject({ pending: 0, poisoned: 0 }));
  });

  test('applies deletions of other devices, and keeps its cursor', async () => {
    const disk = new Disk();
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/pull' ? pulled(2, ['kept', 'gone']) : undefined);
    const sync = await live(world);
    disk.room = 0;
    const deleted = [{ entityType: 'logbook_entry', entityId: 'gone', deletedAt: '2036-01-01T00:00:00.000Z' }];
    world.answer = request => (request.path === '/api/sync/pull'
      ? { body: { deleted, syncToken: 'e.3', lastSeq: 3 } }
      : undefined);
    const shown: string[][] = [];
    sync.collection<Goal>('logbook_entry').subscribe(all => shown.push(all.map(doc => doc.id)));
    await expect(sync.pull()).rejects.toMatchObject({ name: 'QuotaExceededError' });
    await soon(() => expect(shown.at(-1)).toEqual(['kept']));
    await soon(() => expect(sync.status).toMatchObject({ full: true, revision: 2 }));
  });

  test('receives the changes of other devices once it has space', async () => {
    const disk = new Disk();
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/pull' ? pulled(1, ['e1']) : undefined);
    const sync = await live(world);
    disk.room = 0;
    await world.socket.says(entry('e2', 2, 1));
    await soon(() => expect(sync.status).toMatchObject({ full: true, connection: 'waiting', revision: 1 }));
    const reconnects = async () => {
      for (const count = world.sockets.length; world.sockets.length === count; ) await world.pass(1_000);
      await world.socket.opens();
      await world.socket.says({ type: 'SYNC_RESPONSE', entries: [entry('e2', 2, 1).entry], lastSeq: 2 });
    };
    for (let i = 0; i < 3; i++) {
      await reconnects();
      await soon(() => expect(sync.status.connection).toBe('waiting'));
    }
    expect(await ids(sync)).toEqual(['e1']);
    disk.room = Infinity;
    await reconnects();
    await soon(() => expect(sync.status).toMatchObject({ full: false, connection: 'live', revision: 2 }));
    expect(await ids(sync)).toEqual(['e1', 'e2']);
  });

  /** A live device whose edit of `e1` was accepted as revision 2 while it was full for a moment. */
  async function acceptedWhileFull(): Promise<{ world: FakeWorld; sync: Sync; disk: Disk }> {
    const disk = new Disk();
    const world = new FakeWorld();
    world.answer = ({ path }) => (path === '/api/sync/pull' ? pulled(1, ['e1']) : undefined);
    const sync = await live(world);
    world.answer = ({ path, body }) => {
      if (path === '/api/sync/pull') return pulled(2, body!.includes('e.1') ? ['e1'] : []);
      if (path !== '/api/sync/batch') return undefined;
      disk.room = 0;
      return { body: { ...world.accepted(JSON.parse(body!)), newSyncToken: 'e.2', lastSeq: 2 } };
    };
    await sync.collection('logbook_entry').put({ id: 'e1', notes: 'mine' });
    await soon(() => expect(sync.status).toMatchObject({ pending: 0, full: true }));
    return { world, sync, disk };
  }

  const versions = async (sync: Sync) => (await sync.collection<Goal & { version: number }>('logbook_entry').all()).map(doc => doc.version);

  test('does not go on showing its own edit over what others write', async () => {
    const { world, sync, disk } = await acceptedWhileFull();
    disk.room = Infinity;
    await world.socket.says(entry('e1', 2, 1));
    await world.socket.says(entry('e1', 3, 2));
    world.answer = ({ path }) => (path === '/api/sync/pull' ? pulled(3, ['e1']) : undefined);
    await world.pass(60_000);
    await soon(async () => expect(await versions(sync)).toEqual([3]));
  });

  test.each(['connecting', 'catchingUp'])('shows what others write over an edit that was accepted while full and %s', async state => {
    const disk = new Disk();
    const world = new FakeWorld();
    world.answer = ({ path }) => (path === '/api/sync/pull' ? pulled(1, ['e1']) : undefined);
    const sync = await live(world);
    sync.goOffline();
    await sync.collection('logbook_entry').put({ id: 'e1', notes: 'mine' });
    const { opened: answered, open: answer } = gate();
    world.answer = async ({ path, body }) => {
      if (path === '/api/sync/pull') return pulled(2, body!.includes('e.1') ? ['e1'] : []);
      if (path !== '/api/sync/batch') return undefined;
      await answered;
      disk.room = 0;
      return { body: { ...world.accepted(JSON.parse(body!)), newSyncToken: 'e.2', lastSeq: 2 } };
    };
    const before = world.sockets.length;
    sync.goOnline();
    await soon(() => expect(world.sockets).toHaveLength(before + 1));
    if (state === 'catchingUp') await world.socket.opens();
    await soon(() => expect(sync.status.connection).toBe(state));
    await soon(() => expect(world.batches).toHaveLength(1));
    answer();
    await soon(() => expect(sync.status).toMatchObject({ pending: 0, full: true }));
    disk.room = Infinity;
    if (state === 'connecting') await world.socket.opens();
    await world.socket.says({ type: 'SYNC_RESPONSE', entries: [entry('e1', 2, 1).entry], lastSeq: 2 });
    for (let i = 0; i < 3; i++) {
      await world.pass(60_000);
      if (world.socket.isClosed) continue;
      await world.socket.opens();
      await world.socket.says({ type: 'SYNC_RESPONSE', lastSeq: 2 });
    }
    await soon(async () => expect(await versions(sync)).toEqual([2]));
  });

  test('takes the answer 304 for current only once no accepted edit is left over its documents', async () => {
    const { world, sync, disk } = await acceptedWhileFull();
    disk.room = Infinity;
    disk.refuses = key => key === 'clean';
    world.answer = ({ path, headers }) => {
      if (path !== '/api/sync/pull') return undefined;
      if (headers['if-none-match']) return { status: 304 };
      return { ...pulled(2, ['e1']), headers: { etag: 'W/"x"' } };
    };
    await world.pass(60_000);
    expect(await versions(sync)).toEqual([1]);
    disk.refuses = () => false;
    await world.pass(60_000);
    await soon(async () => expect(await versions(sync)).toEqual([2]));
  });

  test.each(['the same tab', 'another visit'])('shows the winner of a conflict once it has space, in %s', async visit => {
    const name = `full${Math.random()}`;
    const { world, sync, disk } = await full(new FakeWorld(), { name });
    const lost: string[] = [];
    sync.on('conflict', ({ id }) => lost.push(id));
    world.answer = loses;
    sync.goOnline();
    await sync.flush();
    expect(lost).toEqual(['a']);
    expect(await titles(sync)).toEqual(['A', 'B']);
    if (visit === 'another visit') await sync.close();
    disk.room = Infinity;
    const later = visit === 'another visit' ? await opened(world, { name }) : sync;
    await world.pass(60_000);
    await soon(async () => expect(await titles(later)).toEqual(['theirs', 'B']));
  });
});
