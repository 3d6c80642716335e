import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openSync, type Sync } from '../src/index.js';
import { FakeWorld, gate, soon } from './support/fakeWorld.js';
import { Gateway, isBuilt } from './support/gateway.js';
import { live } from './support/openDevice.js';

interface Goal {
  id: string;
  title: string;
  version?: number;
}

const DELETIONS = [
  'unsent', 'on its way', 'acknowledged', 'acknowledged and pulled', 'acknowledged before everything was fetched anew',
  'acknowledged before a reload'
] as const;
const OBJECTS = ['as it was created', 'as it was stored'] as const;
const orders = DELETIONS.flatMap(deletion => OBJECTS.flatMap(object => [true, false].map(byId => [deletion, object, byId] as const)));

describe.skipIf(!isBuilt)('undo of a delete', () => {
  let gateway: Gateway;
  const open: Sync[] = [];
  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  afterAll(() => gateway.stop());
  afterEach(async () => {
    for (const sync of open.splice(0)) await sync.close();
  });

  async function device(user: string, name: string, network: { wait?: Promise<void> | undefined }): Promise<Sync> {
    const { platform } = { platform: { fetch: async (url: string | URL | Request, init?: RequestInit) => {
      const response = await fetch(url, init);
      if (String(url).endsWith('/api/sync/batch')) await network.wait;
      return response;
    } } };
    const sync = await openSync({ url: gateway.url, token: gateway.token(user), name, platform });
    open.push(sync);
    return sync;
  }

  test.each(orders)('that is %s, of the object %s, deleted by its id: %s', async (deletion, object, byId) => {
    const user = `undo${Math.random()}`;
    const network: { wait?: Promise<void> | undefined } = {};
    let sync = await device(user, user, network);
    const goals = () => sync.collection<Goal>('goal');
    const created = await goals().put({ id: 'g', title: 'kept' });
    await sync.flush();
    const held = object === 'as it was created' ? created : (await goals().get('g'))!;
    if (deletion === 'unsent') sync.goOffline();
    const { opened: answered, open: answer } = gate();
    if (deletion === 'on its way') network.wait = answered;
    await goals().delete(byId ? 'g' : held);
    if (deletion === 'on its way') await soon(async () => expect(await gateway.pull(user)).toMatchObject({ goals: [] }));
    if (deletion.startsWith('acknowledged')) await sync.flush();
    if (deletion.endsWith('pulled')) await sync.pull();
    if (deletion.endsWith('anew')) {
      await (sync as unknown as { store: { restart(): Promise<void> } }).store.restart();
      await sync.pull();
    }
    if (deletion.endsWith('reload')) {
      await sync.close();
      sync = await device(user, user, network);
    }
    await goals().put(held);
    answer();
    network.wait = undefined;
    sync.goOnline();
    await sync.flush();
    await sync.pull();
    expect(await gateway.pull(user)).toMatchObject({ goals: [{ id: 'g', title: 'kept' }] });
    expect(await goals().get('g')).toMatchObject({ title: 'kept' });
  });

  test('and a further edit, both while the deletion is being sent, stores the last edit', async () => {
    const user = `undo${Math.random()}`;
    const network: { wait?: Promise<void> | undefined } = {};
    const sync = await device(user, user, network);
    const goals = sync.collection<Goal>('goal');
    const held = await goals.put({ id: 'g', title: 'kept' });
    await sync.flush();
    const { opened: answered, open: answer } = gate();
    network.wait = answered;
    await goals.delete('g');
    await soon(async () => expect(await gateway.pull(user)).toMatchObject({ goals: [] }));
    await goals.put(held);
    await goals.put({ ...held, title: 'edited' });
    answer();
    network.wait = undefined;
    await sync.flush();
    await goals.put({ ...held, title: 'edited again' });
    await sync.flush();
    expect(await gateway.pull(user)).toMatchObject({ goals: [{ id: 'g', title: 'edited again' }] });
  });

  test('does not revive an entity that another device deleted meanwhile', async () => {
    const user = `undo${Math.random()}`;
    const [mine, other] = [await device(user, `${user}1`, {}), await device(user, `${user}2`, {})];
    const held = await mine.collection<Goal>('goal').put({ id: 'g', title: 'an open form' });
    await mine.flush();
    await other.pull();
    await other.collection('goal').delete('g');
    await other.flush();
    await mine.pull();
    await mine.collection<Goal>('goal').put({ ...held, title: 'saved too late' });
    await mine.flush();
    expect(await gateway.pull(user)).toMatchObject({ goals: [] });
  });
});

test('after another device undid a deletion of this one, a later deletion by another device is kept', async () => {
  const world = new FakeWorld();
  const sync = await live(world);
  const goals = sync.collection<Goal>('goal');
  const held = await goals.put({ id: 'g', title: 'kept' });
  await goals.delete('g');
  await sync.flush();
  await world.socket.says(
    { type: 'GOAL_UPDATED', goal: { id: 'g', title: 'revived', version: 8, updatedAt: '2039-01-01T00:00:00.000Z' }, seq: 1, after: 0 });
  await world.socket.says({ type: 'GOAL_DELETED', goalId: 'g', deletedAt: '2039-01-02T00:00:00.000Z', version: 9, seq: 2, after: 1 });
  await soon(() => expect(sync.status.revision).toBe(2));
  await goals.put({ ...held, version: 8 });
  await sync.flush();
  expect(world.batches.at(-1)).toMatchObject({ entities: [{ baseVersion: 8 }] });
});
