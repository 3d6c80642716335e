import { describe, expect, test } from 'vitest';
import type { Sync } from '../src/index.js';
import { FakeTabs, FakeWorld, rest, soon } from './support/fakeWorld.js';
import { live, opened } from './support/openDevice.js';
import { page } from './support/page.js';

async function tabs(): Promise<{
  shared: FakeTabs; name: string; old: FakeWorld; first: Sync; world: FakeWorld; second: Sync; window: ReturnType<typeof page>
}> {
  const shared = new FakeTabs();
  const [old, world] = [new FakeWorld(shared), new FakeWorld(shared)];
  const name = `frozen${Math.random()}`;
  const window = page(true);
  const first = await live(old, { name });
  page(true);
  const second = await opened(world, { name });
  await soon(() => expect(second.status).toMatchObject({ leader: false, connection: 'live' }));
  return { shared, name, old, first, world, second, window };
}

describe('a leader that is frozen', () => {
  test('loses the lead within seconds to a tab that has an edit to send, and that tab shows itself as leader', async () => {
    const { old, first, world, second } = await tabs();
    const leads: boolean[] = [];
    second.on('status', status => leads.push(status.leader));
    old.isFrozen = true;
    await second.collection('goal').put({ id: 'g' });
    await world.pass(2_500);
    // Who goes on typing does not put it off.
    await second.collection('goal').put({ id: 'h' });
    await world.pass(2_500);
    await soon(() => expect(second.status).toMatchObject({ leader: true, pending: 0 }));
    expect(leads.at(-1)).toBe(true);
    expect(world.batches.flatMap(batch => batch.entities.map(entity => entity.id))).toEqual(['g', 'h']);
    old.thaw();
    await soon(() => expect(first.status.leader).toBe(false));
    await world.socket.lives();
    await soon(() => expect(first.status).toMatchObject({ leader: false, connection: 'live' }));
    expect(old.batches).toEqual([]);
    expect(old.socket.isClosed).toBe(true);
  });

  test('while a batch is being sent loses the lead: the batch is sent again with its key, and the revived tab follows', async () => {
    const { old, first, world, second } = await tabs();
    old.answer = request => (request.path === '/api/sync/batch' ? 'hangs' : undefined);
    await first.collection('goal').put({ id: 'g' });
    await soon(() => expect(old.batches).toHaveLength(1));
    old.isFrozen = true;
    await second.collection('goal').put({ id: 'h' });
    await world.pass(5_000);
    await soon(() => expect(second.status).toMatchObject({ leader: true, pending: 0 }));
    old.thaw();
    await old.pass(120_000);
    expect(old.batches).toHaveLength(1);
    expect(world.batches.map(batch => batch.key)[0]).toBe(old.batches[0]!.key);
    expect(first.status).toMatchObject({ leader: false, pending: 0 });
  });

  test('loses the lead to a tab that sends nothing', async () => {
    const { old, world, second } = await tabs();
    old.isFrozen = true;
    await world.pass(15_000);
    await soon(() => expect(second.status.leader).toBe(true));
  });

  test('loses the lead to a tab that is opened meanwhile', async () => {
    const { shared, name, old, second } = await tabs();
    await second.close();
    old.isFrozen = true;
    const world = new FakeWorld(shared);
    const third = await opened(world, { name });
    await world.pass(5_000);
    await soon(() => expect(third.status.leader).toBe(true));
  });

  test('leads again when the other tab closes', async () => {
    const { old, first, world, second } = await tabs();
    old.isFrozen = true;
    await world.pass(15_000);
    await soon(() => expect(second.status.leader).toBe(true));
    old.thaw();
    await soon(() => expect(first.status.leader).toBe(false));
    await second.close();
    await soon(() => expect(first.status).toMatchObject({ leader: true, connection: 'connecting' }));
  });

  test('and gets the browser\'s freeze event gives up the lead at once, and leaves no open transaction', async () => {
    const { first, world, second, window } = await tabs();
    const written = first.collection('goal').put({ id: 'mine' });
    await new Promise(resolve => setImmediate(resolve));
    window.fire('freeze');
    await second.collection('goal').put({ id: 'theirs' });
    await soon(() => expect(second.status).toMatchObject({ leader: true }));
    window.fire('resume');
    await written;
    await soon(() => expect(first.status.leader).toBe(false));
    await second.flush();
    expect(world.batches.flatMap(batch => batch.entities.map(entity => entity.id)).sort()).toEqual(['mine', 'theirs']);
  });
});

test('a leader in the background answers and keeps the lead', async () => {
  const { first, world, second } = await tabs();
  for (let s = 0; s < 120; s += 5) {
    if (s % 25 === 0) await second.collection('goal').put({ title: 'x' });
    await world.pass(5_000);
  }
  await rest();
  expect([first.status.leader, second.status.leader]).toEqual([true, false]);
  expect(world.requests).toEqual([]);
});
