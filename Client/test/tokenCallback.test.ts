import { describe, expect, test } from 'vitest';
import { FakeWorld, soon, token } from './support/fakeWorld.js';
import { opened } from './support/openDevice.js';

const problem = (status: number, code: string, headers = {}) => ({ status, body: { code, error: `${code} it is` }, headers });

describe('a token', () => {
  test('that is refused is replaced once by the callback', async () => {
    const world = new FakeWorld();
    const tokens = ['old', 'new'].map(name => token('ada', { name }));
    let asked = 0;
    world.answer = request => (request.headers.authorization === `Bearer ${tokens[0]}` ? problem(401, 'TOKEN_EXPIRED') : undefined);
    const sync = await opened(world, { token: () => tokens[asked++]! });
    await sync.collection('goal').put({ id: 'g' });
    await sync.flush();
    expect(asked).toBe(2);
  });

  test('that is refused twice signs out and keeps all data, and a new one resends the batch with the same key', async () => {
    const world = new FakeWorld();
    let isRefused = true;
    world.answer = request => (isRefused && request.path === '/api/sync/batch' ? problem(401, 'SIGNED_OUT') : undefined);
    const sync = await opened(world);
    const events: string[] = [];
    sync.on('signedOut', event => events.push(`${event.code} ${event.erased}`));
    await sync.collection('goal').put({ id: 'g' });
    await soon(() => expect(sync.status).toMatchObject({ connection: 'signedOut', queue: 'held', pending: 1 }));
    await world.pass(3_600_000);
    expect(world.batches).toHaveLength(1);
    expect(events).toEqual(['SIGNED_OUT false']);
    await expect(sync.flush()).rejects.toThrow();
    isRefused = false;
    sync.setToken(token('ada', { fresh: true }));
    await soon(() => expect(sync.status.pending).toBe(0));
    expect(world.batches[1]!.key).toBe(world.batches[0]!.key);
  });

  test('whose callback cannot reach the network does not sign out', async () => {
    const world = new FakeWorld();
    let isUp = false;
    const sync = await opened(world, { user: 'ada', token: () => (isUp ? token('ada') : Promise.reject(new Error('offline'))) });
    await sync.collection('goal').put({ id: 'g' });
    await world.pass(5_000);
    expect(sync.status).toMatchObject({ connection: 'waiting', pending: 1 });
    isUp = true;
    await world.pass(60_000);
    expect(sync.status.pending).toBe(0);
  });

  test.each([['DEVICE_REVOKED', 403], ['SCHEMA_MISMATCH', 409]])('%s stops the device and emits `refused`', async (code, status) => {
    const world = new FakeWorld();
    world.answer = () => problem(status, code);
    const sync = await opened(world);
    const events: string[] = [];
    sync.on('refused', event => events.push(event.code));
    await sync.collection('goal').put({ id: 'g' });
    await world.pass(600_000);
    expect(sync.status).toMatchObject({ connection: 'refused', queue: 'held', pending: 1, poisoned: 0 });
    expect(events).toEqual([code]);
  });
});
