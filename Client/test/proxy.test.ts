import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openSync, type QueuedEdit, type Sync } from '../src/index.js';
import { FakeWorld } from './support/fakeWorld.js';
import { Gateway, isBuilt } from './support/gateway.js';
import { hasNginx, Nginx } from './support/nginx.js';
import { opened } from './support/openDevice.js';
import { Random } from './support/random.js';
import { World } from './support/world.js';

const JAPANESE = '練習'.repeat(225);
const notes = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `n${i}`, notes: JAPANESE }));

describe.skipIf(!isBuilt || !hasNginx)('behind nginx', () => {
  let gateway: Gateway;
  let nginx: Nginx | undefined;
  const open: Sync[] = [];
  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  afterAll(() => gateway.stop());
  afterEach(async () => {
    for (const sync of open.splice(0)) await sync.close();
    await nginx?.stop();
    nginx = undefined;
  });

  /** A page of another origin may not read an answer that does not name it: a browser says that the network failed. */
  const otherOrigin = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const response = await fetch(
      url, { ...init, headers: { ...(init?.headers as Record<string, string>), origin: 'http://localhost:3000' } });
    if (!response.headers.has('access-control-allow-origin')) throw new TypeError('Failed to fetch');
    return response;
  };

  async function device(user: string, limit: string, isReadable: boolean): Promise<{ sync: Sync; bodies: number[] }> {
    nginx = await Nginx.start(gateway.url, limit && `client_max_body_size ${limit};`);
    const platform = new World(new Random(1)).platform();
    const bodies: number[] = [];
    const send = isReadable ? fetch : otherOrigin;
    const sync = await openSync(
      {
        url: nginx.url, token: gateway.token(user), name: user, offline: true,
        platform: { ...platform, CompressionStream: undefined, fetch: (url, init) => {

      if (String(url).endsWith('/batch')) bodies.push(Buffer.byteLength(init!.body as string));
      return send(url, init);
    } } });
    open.push(sync);
    return { sync, bodies };
  }

  test.each([['', true], ['', false], ['100k', true], ['100k', false], ['50k', false]])(
    'with a body limit of "%s" (readable to the page: %s) 1,000 notes of 450 Japanese characters arrive', async (limit, isReadable) => {
    const user = `nginx${limit}${isReadable}`;
    const { sync, bodies } = await device(user, limit, isReadable);
    await sync.collection('logbook_entry').putAll(notes(1_000));
    sync.goOnline();
    await sync.flush();
    expect(sync.status).toMatchObject({ pending: 0, poisoned: 0 });
    expect((await gateway.pull(user)).entries).toHaveLength(1_000);
    expect(Math.max(...bodies)).toBeLessThanOrEqual(262_144);
  });

  test('an edit larger than the limit is reported as poisoned, and the others arrive', async () => {
    const { sync } = await device('never', '100k', true);
    const named: QueuedEdit[] = [];
    sync.on('poisoned', edit => named.push(edit));
    await sync.collection('logbook_entry').putAll([...notes(20), { id: 'large', notes: 'x'.repeat(200_000) }, { id: 'last', notes: '' }]);
    sync.goOnline();
    await sync.flush();
    expect(sync.status).toMatchObject({ pending: 0, poisoned: 1 });
    expect(named).toMatchObject([{ id: 'large', state: 'poisoned', error: { code: 'UNANSWERED' } }]);
    expect((await gateway.pull('never')).entries).toHaveLength(21);
  });
});

describe('a batch that the server never answers', () => {
  const foreign = { status: 403, text: '{"code":"BLOCKED","error":"Blocked by the firewall"}' };

  test.each([['lost' as const], [foreign]])(
    'is halved down to the one item at fault, which is parked and reported, and the others are sent: %j', async reply => {
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/batch' && request.body!.includes('never') ? reply : undefined);
    const sync = await opened(world);
    const named: QueuedEdit[] = [];
    sync.on('poisoned', edit => named.push(edit));
    await sync.collection('goal').putAll(Array.from({ length: 40 }, (_, i) => ({ id: `g${i}`, title: i === 17 ? 'never' : 'ok' })));
    await world.pass(300_000);
    expect(named).toMatchObject([{ id: 'g17', error: { code: 'UNANSWERED' } }]);
    expect(sync.status.connection).not.toBe('refused');
  });

  test('is kept as it is if nothing else is answered either', async () => {
    const world = new FakeWorld();
    const sync = await opened(world, { offline: true });
    await sync.collection('goal').putAll([{ id: 'a' }, { id: 'b' }]);
    world.answer = () => 'lost';
    sync.goOnline();
    await world.pass(3_600_000);
    world.answer = () => undefined;
    await world.pass(120_000);
    expect(sync.status).toMatchObject({ pending: 0, poisoned: 0 });
    expect(new Set(world.batches.map(batch => batch.key)).size).toBe(1);
  });

  test('is followed by smaller batches until the device changes its network', async () => {
    const world = new FakeWorld();
    let isBlocked = true;
    world.answer = request => (isBlocked && request.path === '/api/sync/batch' && request.body!.length > 20_000 ? 'lost' : undefined);
    const sync = await opened(world);
    const many = () => sync.collection('goal').putAll(Array.from({ length: 200 }, () => ({ title: 'x'.repeat(300) })));
    await many();
    for (let s = 0; s < 30; s++) await world.pass(1_000);
    expect(sync.status).toMatchObject({ pending: 0, poisoned: 0 });
    isBlocked = false;
    await many();
    await sync.flush();
    expect(world.batches.at(-1)!.text.length).toBeLessThan(20_000);
    sync.goOffline();
    await many();
    sync.goOnline();
    await sync.flush();
    expect(world.batches.at(-1)!.entities).toHaveLength(200);
  });
});
