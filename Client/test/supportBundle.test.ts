import { afterEach, expect, test, vi } from 'vitest';
import { recordErrors, supportBundle } from '../src/support.js';
import { FakeWorld, rest, soon, token, type Reply, type Request } from './support/fakeWorld.js';
import { live, opened } from './support/openDevice.js';
import { entry, pulled } from './support/wire.js';

const EPOCH = '6f9c1f0e0d9a4c55b2a6c1d2e3f40516';
const DAY_MS = 86_400_000;
const VECTOR = '../../Tests/Vectors/support-bundle.json';

afterEach(() => {
  vi.unstubAllGlobals();
});

const iso = (ms: number) => new Date(ms).toISOString();
const problem = (status: number, code: string): Reply => ({ status, body: { code, error: 'no' } });

/** A server whose clock is a minute and a half behind this device's, and that refuses edits by their id. */
const server = (world: FakeWorld, refused: Record<string, string> = {}, isAway = () => false) =>
  ({ path, body }: Request): Reply | undefined => {
  switch (path) {
    case '/health': return { body: { service: 'mirubato-sync', timestamp: iso(world.now - 90_000), version: '0.1.0' } };
    case '/api/sync/status':
      return { body: { syncToken: `${EPOCH}.7`, lastSeq: 7, digest: 'f'.repeat(32), entityCount: 2, schemaVersion: 1 } };
    case '/api/sync/pull':
      return pulled(7, ['e1'], { goals: [{ id: 'g1', version: 3, updatedAt: iso(3) }], syncToken: `${EPOCH}.7` });
    case '/api/sync/batch':
      return isAway() ? problem(503, 'STORE_UNAVAILABLE') : { body: world.accepted(JSON.parse(body!), id => refused[id]) };
    default: return undefined;
  }
};

test('a support bundle equals the file that the tests of the command line read', async () => {
  vi.stubGlobal('navigator', {
    userAgent: 'Tests/1.0', storage: { estimate: async () => ({ usage: 950_000_000, quota: 1_000_000_000 }), persisted: async () => false },
  });
  const world = new FakeWorld();
  let isAway = false;
  world.answer = server(world, { long: 'too_large', full: 'quota' }, () => isAway);
  const sync = await live(world, { name: 'pane', device: 'phone' });
  recordErrors(sync);
  await sync.collection('logbook_entry').put({ id: 'long', notes: 'secret words' });
  await sync.collection('goal').put({ id: 'full', title: 'secret words' });
  await soon(() => expect(sync.status.poisoned).toBe(1));
  await world.pass(600_000);
  await soon(() => expect(sync.status.poisoned).toBe(2));
  isAway = true;
  await sync.collection('goal').put({ id: 'waits', title: 'secret words' });
  await soon(() => expect(sync.status.queue).toBe('waiting'));
  world.shift(2 * DAY_MS);

  const bundle = await supportBundle(sync, { app: 'Journal 2.1' });

  await expect(`${JSON.stringify(bundle, null, 2)}\n`).toMatchFileSnapshot(VECTOR);
});

test('a support bundle holds no document and no token, and the user only if the app passes it', async () => {
  const world = new FakeWorld();
  world.answer = server(world, { 'secret-user': 'too_large', odd: 'invalid' });
  const sync = await live(world, { token: token('secret-user', { secret: 'token' }) });
  recordErrors(sync);
  await sync.collection('user_preferences').put({ id: 'secret-user', theme: 'secret-document' });
  await sync.collection('goal').put({ id: 'odd', title: 'secret-document' });
  await soon(() => expect(sync.status.poisoned).toBe(2));
  await sync.collection('goal').put({ id: 'g1', title: 'secret-document' });

  const bundle = await supportBundle(sync);

  expect(bundle.parked.edits).toMatchObject([
    { type: 'user_preferences', id: null, reason: 'too_large', deletes: false, retries: false },
    { type: 'goal', id: 'odd', reason: 'invalid' },
  ]);
  expect(JSON.stringify(bundle)).not.toMatch(/secret/);
  expect(JSON.stringify(bundle)).not.toContain(token('secret-user', { secret: 'token' }));
  expect(bundle).not.toHaveProperty('user');
  expect((await supportBundle(sync, { user: 'secret-user' })).user).toBe('secret-user');
  const other = await opened(world, { url: 'https://name:secret-password@sync.test/sub/', offline: true });
  expect((await supportBundle(other)).server.url).toBe('https://sync.test/sub');
});

test('a support bundle tells why the server was not asked, or why it refused the device', async () => {
  const world = new FakeWorld();
  const usual = server(world);
  world.answer = request => (request.path === '/api/sync/status' ? problem(403, 'DEVICE_REVOKED') : usual(request));
  const sync = await live(world);
  expect((await supportBundle(sync)).server).toMatchObject(
    { url: 'https://sync.test', version: '0.1.0', clockAheadMs: 90_000, lastSeq: null, failure: { code: 'DEVICE_REVOKED', status: 403 } });

  world.answer = ({ path }) => (path === '/health' ? { body: { code: { odd: 1 }, hello: 'captive portal' } } : undefined);
  expect((await supportBundle(sync)).server).toMatchObject({ version: null, failure: { code: 'UNKNOWN_ANSWER', status: 200 } });

  sync.goOffline();
  await sync.collection('goal').put({ id: 'g' });
  const offline = await supportBundle(sync);
  expect(offline.server.failure).toEqual({ code: 'OFFLINE', status: 0 });
  expect(offline).toMatchObject({ status: { connection: 'offline', offline: true }, unsent: { count: 1, byType: { goal: 1 } } });
});

test('the digest of a support bundle equals the server\'s at the same revision, and is null if a change arrived meanwhile', async () => {
  const world = new FakeWorld();
  const usual = server(world);
  world.answer = usual;
  const sync = await live(world);
  const { cursor, entities } = await supportBundle(sync);
  expect(cursor).toEqual({ epoch: EPOCH, lastSeq: 7, digest: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(entities).toEqual({ goal: 1, logbook_entry: 1 });

  world.answer = async request => {
    if (request.path === '/health') {
      await world.socket.says(entry('e2', 8, 7));
      await soon(() => expect(sync.status.revision).toBe(8));
    }
    return usual(request);
  };
  expect((await supportBundle(sync)).cursor).toEqual({ epoch: EPOCH, lastSeq: 8, digest: null });
});

test('a support bundle has the oldest 100 parked edits and the last 50 errors', async () => {
  const world = new FakeWorld();
  const refused = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`g${i}`, 'too_large']));
  world.answer = server(world, refused);
  const sync = await live(world);
  recordErrors(sync);
  recordErrors(sync);
  await sync.collection('goal').putAll(Object.keys(refused).map(id => ({ id })));
  await soon(() => expect(sync.status.poisoned).toBe(101));

  const { parked, errors } = await supportBundle(sync);

  expect([parked.count, parked.edits.length, parked.edits[0]!.id, parked.edits.at(-1)!.id]).toEqual([101, 100, 'g0', 'g99']);
  expect(errors).toHaveLength(50);
  expect(errors.at(-1)).toEqual({ at: iso(world.now), kind: 'poisoned', code: 'too_large' });
});

test('recordErrors() records failing events, states and frames', async () => {
  const world = new FakeWorld();
  const sync = await live(world);
  recordErrors(sync);
  await world.socket.says({ type: 'ERROR', code: 'UNAVAILABLE', error: 'secret' });
  await world.socket.ends(1006);
  await soon(() => expect(sync.status.connection).toBe('waiting'));
  world.answer = () => problem(403, 'DEVICE_REVOKED');
  await world.pass(10_000);
  await soon(() => expect(sync.status.connection).toBe('refused'));

  const { errors } = await supportBundle(sync);

  expect(errors.map(({ kind, code }) => [kind, code])).toEqual(
    [['socket', 'UNAVAILABLE'], ['connection', 'waiting'], ['refused', 'DEVICE_REVOKED']]);
});

test('supportBundle() rejects for a device whose data was deleted, and does not create its database again', async () => {
  const world = new FakeWorld();
  const sync = await opened(world);
  await sync.signOut();
  await expect(supportBundle(sync)).rejects.toThrow('The data of this device was deleted.');
  await rest();
  expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(world.database);
});
