import { describe, expect, test } from 'vitest';
import { FakeWorld, rest, soon } from './support/fakeWorld.js';
import { live } from './support/openDevice.js';

describe('a subscriber', () => {
  test('gets every change although a read of the store failed', async () => {
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

  test('is called at once, then after every change, until it unsubscribes', async () => {
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
