import { expect, test } from 'vitest';
import { FakeWorld } from './support/fakeWorld.js';
import { opened } from './support/openDevice.js';

test('the status counts an edit as soon as a write, a retry or a discard resolves', async () => {
  const world = new FakeWorld();
  world.answer = request => request.path === '/api/sync/batch'
    ? { body: world.accepted(JSON.parse(request.body!), () => 'too_large') }
    : undefined;
  const sync = await opened(world);
  const goals = sync.collection('goal');
  const counts = () => [sync.status.pending, sync.status.poisoned];
  await goals.putAll([{ id: 'a' }, { id: 'b' }]);
  await sync.flush();
  expect(counts()).toEqual([0, 2]);
  sync.goOffline();
  const [a, b] = await sync.queue();
  await sync.retry(a!.n);
  expect(counts()).toEqual([1, 1]);
  await sync.discard(b!.n);
  expect(counts()).toEqual([1, 0]);
  await goals.put({ id: 'c' });
  expect(counts()).toEqual([2, 0]);
  await goals.delete('d');
  expect(counts()).toEqual([3, 0]);
  await Promise.all(Array.from({ length: 50 }, async (_, i) => {
    await goals.put({ id: `g${i}` });
    expect(sync.status.pending).toBeGreaterThanOrEqual(4 + i);
  }));
});
