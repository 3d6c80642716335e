import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openSync, type Sync } from '../src/index.js';
import { FakeWorld, rest, soon } from './support/fakeWorld.js';
import { Gateway, isBuilt } from './support/gateway.js';
import { live, opened } from './support/openDevice.js';
import { Random } from './support/random.js';
import { Relay } from './support/relay.js';
import { pulled, ids } from './support/wire.js';
import { World } from './support/world.js';

/** What does not compress to much less. */
const noise = (bytes: number) => randomBytes(Math.ceil((bytes * 3) / 4)).toString('base64');

describe.skipIf(!isBuilt)('on a slow network to the real server', () => {
  let gateway: Gateway;
  let relay: Relay | undefined;
  const open: Sync[] = [];
  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  afterAll(() => gateway.stop());
  afterEach(async () => {
    for (const sync of open.splice(0)) await sync.close();
    await relay?.stop();
    relay = undefined;
  });

  /** Waits of more than ten seconds run five times as fast: a minute's patience is twelve seconds. */
  async function device(user: string, bytesPerSecond: number, more = {}): Promise<Sync> {
    relay = await Relay.start(Number(new URL(gateway.url).port), bytesPerSecond);
    const sync = await openSync(
      { url: relay.url, token: gateway.token(user), name: user, platform: { ...new World(new Random(1)).platform(), fetch }, ...more });
    open.push(sync);
    return sync;
  }

  async function seed(user: string, count: number, bytes: number): Promise<void> {
    const changes = {
      entries: Array.from({ length: count }, (_, i) => ({ id: `e${i}`, notes: noise(bytes), updatedAt: '2026-11-22T10:00:00.000Z' }))
    };
    const headers = { authorization: `Bearer ${gateway.token(user)}`, 'content-type': 'application/json' };
    expect((await fetch(`${gateway.url}/api/sync/push`, { method: 'POST', headers, body: JSON.stringify({ changes }) })).status).toBe(200);
  }

  test('a first sync of 3 MB that takes longer than the time-out arrives', async () => {
    await seed('down', 2_500, 1_200);
    const sync = await device('down', 100_000);
    await soon(() => expect(sync.status.connection).not.toBe('waiting'));
    while ((await sync.collection('logbook_entry').all()).length < 2_500) {
      expect(sync.status.connection).not.toBe('waiting');
      await new Promise(resolve => setTimeout(resolve, 200));
    }
  });

  test('a first sync arrives although the connection breaks again and again', async () => {
    await seed('breaking', 2_500, 1_200);
    const sync = await device('breaking', 2_000_000, { offline: true });
    relay!.cutAfter = 700_000;
    sync.goOnline();
    while ((await sync.collection('logbook_entry').all()).length < 2_500) await new Promise(resolve => setTimeout(resolve, 100));
    expect(relay!.cuts).toBeGreaterThan(0);
  });

  test('a megabyte of edits that takes longer than the time-out is sent', async () => {
    const sync = await device('up', 60_000, { offline: true });
    await sync.collection('logbook_entry').putAll(Array.from({ length: 1_000 }, (_, i) => ({ id: `e${i}`, notes: noise(1_000) })));
    sync.goOnline();
    await sync.flush();
    expect((await gateway.pull('up')).entries).toHaveLength(1_000);
  });
});

describe('a time-out measures silence', () => {
  /** An answer in pieces, one a time. */
  function inPieces(text: string, count: number) {
    const pieces = Array.from(
      { length: count }, (_, i) => new TextEncoder().encode(text).slice((i * text.length) / count, ((i + 1) * text.length) / count));
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    let isCut = false;
    const body = new ReadableStream<Uint8Array>({ start: made => void (controller = made) });
    const next = () => {
      if (isCut) return;
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else controller.close();
    };
    const cut = () => {
      isCut = true;
      controller.error(new DOMException('aborted', 'AbortError'));
    };
    return { body, next, cut };
  }

  test.each([[59_000, 3], [61_000, 0]])('of a download: a piece every %i ms brings %i documents', async (pause, documents) => {
    const world = new FakeWorld();
    const sync = await live(world);
    const { body, next, cut } = inPieces(JSON.stringify(pulled(4, ['a', 'b', 'c']).body), 10);
    const { platform } = sync as unknown as { platform: { fetch: typeof globalThis.fetch } };
    const usual = platform.fetch;
    platform.fetch = async (url, init) => {
      if (!String(url).endsWith('/pull')) return usual(url, init);
      init!.signal!.addEventListener('abort', cut);
      return new Response(body);
    };
    const ended = sync.pull().then(() => 'pulled', () => 'failed');
    await rest();
    for (let i = 0; i <= 10; i++) {
      await world.pass(pause);
      next();
      await rest();
    }
    platform.fetch = usual;
    expect(await ended).toBe(documents ? 'pulled' : 'failed');
    expect(await ids(sync)).toHaveLength(documents);
  });

  test('of an upload grows with its size, for 1 KB/s, and then a smaller batch is tried', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    world.answer = request => (request.path === '/api/sync/batch' && request.body!.length > 150_000 ? 'hangs' : undefined);
    await sync.collection('goal').putAll(Array.from({ length: 200 }, () => ({ title: 'x'.repeat(1_000) })));
    await soon(() => expect(world.batches).toHaveLength(1));
    await world.pass(250_000);
    expect(world.batches).toHaveLength(1);
    await world.pass(60_000);
    expect(world.batches[1]!.text.length).toBeLessThan(150_000);
    await sync.flush();
    expect(sync.status.poisoned).toBe(0);
  });
});

describe('when the connection breaks', () => {
  const page = (seq: number) => pulled(seq, [`e${seq}`], { hasMore: seq < 5 });
  const sinceOf = (body: string) => (JSON.parse(body) as { since?: string }).since;

  test('the pages of a first sync that arrived are kept and shown', async () => {
    const world = new FakeWorld();
    let isCut = true;
    world.answer = request => {
      if (request.path !== '/api/sync/pull') return undefined;
      const seq = Number(sinceOf(request.body!)?.slice(2) ?? 0) + 1;
      return isCut && seq > 3 ? 'lost' : page(seq);
    };
    const sync = await opened(world);
    await soon(async () => expect(await ids(sync)).toEqual(['e1', 'e2', 'e3']));
    isCut = false;
    await sync.pull();
    expect(await ids(sync)).toEqual(['e1', 'e2', 'e3', 'e4', 'e5']);
    expect(world.to('/api/sync/pull').filter(request => !sinceOf(request.body!))).toHaveLength(1);
  });

  test('a full fetch continues after its last page, and replaces nothing before it is complete', async () => {
    const world = new FakeWorld();
    world.answer = request => (request.path === '/api/sync/pull' ? pulled(9, ['old']) : undefined);
    const sync = await live(world);
    await soon(async () => expect(await ids(sync)).toEqual(['old']));
    const asked: (string | undefined)[] = [];
    let isCut = true;
    world.answer = request => {
      if (request.path !== '/api/sync/pull') return undefined;
      const since = sinceOf(request.body!);
      asked.push(since);
      const seq = since === 'e.9' ? 1 : Number(since!.slice(2)) + 1;
      return isCut && seq > 3 ? 'lost' : { body: { ...page(seq).body, reset: since === 'e.9' } };
    };
    await expect(sync.pull()).rejects.toThrow();
    expect(await ids(sync)).toEqual(['old']);
    isCut = false;
    await sync.pull();
    expect(await ids(sync)).toEqual(['e1', 'e2', 'e3', 'e4', 'e5']);
    expect(asked).toEqual(['e.9', 'e.1', 'e.2', 'e.3', 'e.3', 'e.4']);
    await sync.pull().catch(() => {});
    expect(asked.at(-1)).toBe('e.5');
  });

  test('smaller pages are requested, and larger ones again once pages arrive', async () => {
    const world = new FakeWorld();
    const sync = await live(world);
    const limits: number[] = [];
    let isCut = true;
    world.answer = request => {
      if (request.path !== '/api/sync/pull') return undefined;
      limits.push(JSON.parse(request.body!).limit);
      return isCut ? 'lost' : undefined;
    };
    for (let i = 0; i < 4; i++) await sync.pull().catch(() => {});
    isCut = false;
    for (let i = 0; i < 7; i++) await sync.pull();
    expect(limits).toEqual([2_000, 500, 125, 60, 60, 120, 240, 480, 960, 1_920, 2_000]);
  });
});

test('the size of a page is a whole number, whichever pages arrive', async () => {
  const world = new FakeWorld();
  const sync = await live(world);
  const limits: number[] = [];
  const losses = [true, false, true, true, true, false, true];
  world.answer = request => {
    if (request.path !== '/api/sync/pull') return undefined;
    limits.push(JSON.parse(request.body!).limit);
    return losses[limits.length - 1] ? 'lost' : undefined;
  };
  for (const _ of losses) await sync.pull().catch(() => {});
  expect(limits).toEqual([2_000, 500, 1_000, 250, 62, 60, 120]);
});

test('bodies are gzipped if the platform supports it', async () => {
  const world = new FakeWorld();
  const sent: { body: unknown; encoding: string | undefined }[] = [];
  const platform = world.platform();
  const sync = await opened(world, { platform: { ...platform, CompressionStream, fetch: (url: string, init: RequestInit) => {
    const headers = init.headers as Record<string, string>;
    const body = init.body instanceof ArrayBuffer ? gunzipSync(Buffer.from(init.body)).toString() : init.body;
    if (url.endsWith('/batch')) sent.push({ body: init.body, encoding: headers['content-encoding'] });
    return platform.fetch!(url, { ...init, body: body as string });
  } } });
  await sync.collection('goal').put({ id: 'small' });
  await sync.flush();
  await sync.collection('goal').put({ id: 'large', title: '練習'.repeat(5_000) });
  await sync.flush();
  expect(sent).toMatchObject([{ encoding: undefined }, { encoding: 'gzip' }]);
  expect((sent[1]!.body as ArrayBuffer).byteLength).toBeLessThan(2_000);
  expect(world.batches[1]).toMatchObject({ entities: [{ id: 'large', data: { title: '練習'.repeat(5_000) } }] });
});
