import { describe, expect, test } from 'vitest';
import { Digest } from '../src/pure/digest.js';
import { FakeWorld, rest, soon } from './support/fakeWorld.js';
import { live } from './support/openDevice.js';
import { entry, ids, pulled } from './support/wire.js';

describe('a pull', () => {
  test('continues from its token, accepts 304, and reads all pages', async () => {
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

  test('that replaces everything changes nothing if it is interrupted between pages', async () => {
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

  test('the sync token of a write does not move the cursor of the next pull', async () => {
    const world = new FakeWorld();
    world.answer = request => request.path === '/api/sync/batch'
      ? { body: { ...world.accepted(JSON.parse(request.body!)), newSyncToken: 'e.99', lastSeq: 99 } }
      : undefined;
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

  test('a different digest at the same revision triggers one full fetch', async () => {
    const world = new FakeWorld();
    const digest = new Digest();
    digest.add('logbook_entry', 'a', 4);
    const sync = await live(world);
    const healed: number[] = [];
    sync.on('healed', event => healed.push(event.revision));
    await world.socket.says(entry('ghost', 4, 0));
    await soon(() => expect(sync.status.revision).toBe(4));
    // What the device began by itself has ended: a pull that is under way would be shared.
    await rest();
    world.answer = request => (
      request.path === '/api/sync/pull' ? pulled(4, JSON.parse(request.body!).since ? [] : ['a'], { digest: String(digest) }) : undefined);
    await sync.pull();
    await soon(async () => expect(await ids(sync)).toEqual(['a']));
    expect(healed).toEqual([4]);
    const pulls = world.to('/api/sync/pull').length;
    await world.pass(301_000);
    expect(world.to('/api/sync/pull')).toHaveLength(pulls + 1);
    expect(healed).toEqual([4]);
  });

  test('a difference that a full fetch does not resolve is retried with growing waits', async () => {
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
  test('is listed over all pages, and each conflict can be restored or discarded', async () => {
    const world = new FakeWorld();
    const row = (id: string) =>
      ({ id, entityType: 'goal', entityId: 'g', reason: 'stale', winnerVersion: 2, createdAt: '', document: { id: 'g', title: id } });
    world.answer = request => request.path.startsWith('/api/sync/conflicts?') ? {
      body: request.path.includes('after=c1')
        ? { conflicts: [row('c2')], hasMore: false }
        : { conflicts: [row('c1')], hasMore: true, next: 'c1' }
    }
      : request.method === 'DELETE' ? { status: 204 } : undefined;
    const sync = await live(world);
    const [first, second] = await sync.conflicts();
    expect([first, second]).toMatchObject([{ id: 'c1', type: 'goal', document: { title: 'c1' } }, { id: 'c2' }]);
    const pulls = world.to('/api/sync/pull').length;
    await first!.restore();
    await second!.discard();
    expect(
      world.to('/api/sync/conflicts/').map(request => `${request.method} ${request.path}`)).toEqual([
        'POST /api/sync/conflicts/c1/restore', 'DELETE /api/sync/conflicts/c2'
      ]);
    expect(world.to('/api/sync/pull')).toHaveLength(pulls + 1);
  });
});
