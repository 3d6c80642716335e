import { describe, expect, test } from 'vitest';
import { FakeWorld, rest, soon, token } from './support/fakeWorld.js';
import { live, opened } from './support/openDevice.js';

const sentAs = (world: FakeWorld) => new Set(world.requests.map(request => request.headers.authorization));

describe('the token of another user', () => {
  test.each(
    [
      ['a string', token('ben')], ['from a function', () => token('ben')], ['promised', async () => token('ben')]
    ])('is not used: nothing is sent, and nothing is lost (%s)',
    async (_, other) =>
      {
    const world = new FakeWorld();
    const sync = await opened(world, { user: 'ada', token: other });
    const events: string[] = [];
    sync.on('signedOut', event => events.push(`${event.code} ${event.erased}`));
    await sync.collection('goal').put({ id: 'of ada' });
    await world.pass(600_000);
    expect(world.requests).toEqual([]);
    expect(events).toEqual(['OTHER_USER false']);
    expect(sync.status).toMatchObject({ connection: 'signedOut', pending: 1, poisoned: 0 });
    sync.setToken(() => token('ada'));
    await sync.flush();
    expect(sentAs(world)).toEqual(new Set([`Bearer ${token('ada')}`]));
  });

  test('signs the device out when the token callback returns it', async () => {
    const world = new FakeWorld();
    let user = 'ada';
    const sync = await opened(world, { token: () => token(user, { iat: world.now / 1000, exp: world.now / 1000 + 600 }) });
    await soon(() => expect(world.sockets).toHaveLength(1));
    await world.socket.lives();
    user = 'ben';
    await world.pass(541_000);
    expect(sync.status.connection).toBe('signedOut');
    await sync.collection('goal').put({ id: 'of ada' });
    await world.pass(600_000);
    expect(world.socket.sent.filter(frame => frame.type === 'AUTH')).toEqual([]);
    expect(world.batches).toEqual([]);
  });

  test('is refused by setToken() as well', async () => {
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/batch' ? 'hangs' : undefined);
    const sync = await opened(world);
    await sync.collection('goal').put({ id: 'of ada' });
    await soon(() => expect(world.batches).toHaveLength(1));
    sync.setToken(token('ben'));
    await world.pass(600_000);
    expect(sentAs(world)).toEqual(new Set([`Bearer ${token('ada')}`]));
    expect(sync.status).toMatchObject({ connection: 'signedOut', pending: 1 });
  });
});

test.each(['ein Tökèn', 'токен', 'of two\nlines'])(
  'a token that a header cannot hold signs the device out, and does not count as a network failure: %j', async text => {
  const world = new FakeWorld();
  const platform = world.platform();
  const fetch: typeof platform.fetch = (url, init) => (new Headers(init!.headers), platform.fetch!(url, init));
  const sync = await opened(world, { user: 'ada', token: text, platform: { ...platform, fetch } });
  await soon(() => expect(sync.status.connection).toBe('signedOut'));
});

test.each(['', 'x'.repeat(257), 'line\nbreak', 'half an emoji \ud83c'])(
  'openSync() rejects the device id %j', async device => {
  await expect(new FakeWorld().open({ device })).rejects.toThrow('device: a text of 1 to 256');
});

describe('a token callback that never answers', () => {
  test('times out after a minute and is called again', async () => {
    const world = new FakeWorld();
    let asked = 0;
    const sync = await opened(world, { user: 'ada', token: () => (++asked === 1 ? new Promise<string>(() => {}) : token('ada')) });
    await sync.collection('goal').put({ id: 'g' });
    await world.pass(59_000);
    expect(asked).toBe(1);
    await world.pass(10_000);
    expect(sync.status.pending).toBe(0);
  });

  test('does not block goOffline(), goOnline() or setToken()', async () => {
    const world = new FakeWorld();
    let hangs = true;
    const source = () => (hangs ? new Promise<string>(() => {}) : token('ada'));
    const sync = await opened(world, { user: 'ada', token: source });
    await sync.collection('goal').put({ id: 'g' });
    await rest();
    sync.goOffline();
    await rest();
    hangs = false;
    sync.goOnline();
    await soon(() => expect(sync.status.pending).toBe(0));
  });

  test('does not replace a newer token if it answers late after all', async () => {
    const world = new FakeWorld();
    let answer = (_: string) => {};
    const sync = await opened(world, { user: 'ada', token: () => new Promise<string>(resolve => (answer = resolve)) });
    await rest();
    sync.setToken(() => token('ada', { fresh: 1 }));
    answer(token('ada', { old: 1 }));
    await sync.collection('goal').put({ id: 'g' });
    await sync.flush();
    expect(sentAs(world)).toEqual(new Set([`Bearer ${token('ada', { fresh: 1 })}`]));
  });
});

describe('a clock that is wrong', () => {
  const YEAR = 365 * 86_400_000;

  test('by a year ahead does not request tokens without end', async () => {
    const world = new FakeWorld();
    const real = world.now;
    world.now += YEAR;
    let asked = 0;
    const sync = await opened(world, { token: () => token('ada', { n: ++asked, iat: real / 1000, exp: real / 1000 + 3_600 }) });
    await soon(() => expect(world.sockets).toHaveLength(1));
    await world.socket.lives();
    for (let i = 0; i < 20; i++) await world.socket.says({ type: 'AUTHENTICATED', expiresAt: '' });
    await sync.collection('goal').put({ id: 'g' });
    await sync.flush();
    expect(asked).toBeLessThanOrEqual(2);
    await world.pass(600_000);
    expect(asked).toBeLessThanOrEqual(12);
    expect(sync.status).toMatchObject({ connection: 'live', pending: 0 });
  });

  test('by a year behind uses a token until it is refused', async () => {
    const world = new FakeWorld();
    const real = world.now;
    world.now -= YEAR;
    let asked = 0;
    const tokens = [1, 2].map(n => token('ada', { n, iat: real / 1000, exp: real / 1000 + 3_600 }));
    const sync = await opened(world, { token: () => tokens[asked++]! });
    await sync.flush();
    world.answer = request => (
      request.headers.authorization === `Bearer ${tokens[0]}` ? { status: 401, body: { code: 'TOKEN_EXPIRED' } } : undefined);
    await sync.collection('goal').put({ id: 'g' });
    await sync.flush();
    expect(asked).toBe(2);
  });

  test.each(['lives', 'was deleted'])(
    'by ten years ahead on another device affects one document only: it %s', async state => {
    const world = new FakeWorld();
    const sync = await live(world);
    const far = new Date(world.now + 10 * YEAR).toISOString();
    await world.socket.says({ type: 'GOAL_UPDATED', goal: { id: 'far', version: 1, updatedAt: far }, seq: 1, after: 0 });
    if (state === 'was deleted') await world.socket.says(
      { type: 'GOAL_DELETED', goalId: 'far', deletedAt: far, version: 2, seq: 2, after: 1 });
    await soon(() => expect(sync.status.revision).toBe(state === 'lives' ? 1 : 2));
    const goals = sync.collection<{ id: string }>('goal');
    expect(await goals.put({ id: 'near' })).toMatchObject({ updatedAt: new Date(world.now).toISOString() });
    expect(await goals.put({ id: 'far' })).toMatchObject({ updatedAt: new Date(world.now + 10 * YEAR + 1).toISOString() });
    expect(await goals.put({ id: 'nearer' })).toMatchObject({ updatedAt: new Date(world.now).toISOString() });
  });
});
