import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SyncStatus } from '../src/index.js';
import { soon } from './support/fakeWorld.js';
import { Chromium, hasChromium, type Page } from './support/chromium.js';
import { Gateway, isBuilt } from './support/gateway.js';
import { ROOT } from './support/package.js';

describe.skipIf(!isBuilt || !hasChromium)('in Chromium', () => {
  let gateway: Gateway;
  let chromium: Chromium;
  let server: Server;
  beforeAll(async () => {
    const { outputFiles } = await build(
      { entryPoints: [join(ROOT, 'src/index.ts')], bundle: true, format: 'esm', target: 'es2022', write: false });
    server = createServer((request, response) => {
      const isScript = request.url === '/sync.js';
      response.writeHead(
        200,
        { 'content-type': isScript ? 'text/javascript' : 'text/html' }).end(isScript
          ? outputFiles[0]!.text
          : '<!doctype html><title>x</title>');
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    [gateway, chromium] = await Promise.all([Gateway.start(), Chromium.start()]);
  });
  afterAll(async () => {
    await chromium?.stop();
    await gateway?.stop();
    server?.close();
  });

  async function blank(): Promise<Page> {
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
    const page = await chromium.open(url);
    await soon(async () => expect(await page.evaluate('location.href + document.readyState')).toBe(`${url}complete`));
    return page;
  }

  async function tab(user: string, more = {}, page?: Page): Promise<Page> {
    page ??= await blank();
    const options = JSON.stringify({ url: gateway.url, token: gateway.token(user), ...more });
    await page.evaluate(`import('/sync.js').then(async ({ openSync }) => { globalThis.sync = await openSync(${options}); })`);
    return page;
  }

  const status = (page: Page) => page.evaluate<SyncStatus>('sync.status');

  test('a full device sends queued edits and deletes documents, and works again once it has space', async () => {
    const page = await blank();
    await page.limitStorage(400_000);
    await tab('full', { offline: true }, page);
    const error = await page.evaluate<{ name: string; message: string }>(`(async () => {
      globalThis.goals = sync.collection('goal');
      globalThis.count = 0;
      const noise = size => Array.from({ length: size / 10 }, () => Math.random().toString(36).padEnd(12, '0').slice(2)).join('');
      for (let size = 20_000; size >= 10; ) {
        try {
          await goals.put({ id: 'g' + count, notes: noise(size) });
          count++;
        } catch ({ name, message }) {
          if ((size /= 2) < 10) return { name, message };
        }
      }
    })()`);
    expect(error).toMatchObject({ name: 'QuotaExceededError', message: expect.stringContaining('This device is full') });
    const count = await page.evaluate<number>('count');
    const shown = () => page.evaluate<number>('goals.all().then(all => all.length)');
    const held = async () => ((await gateway.pull('full')) as { goals: unknown[] }).goals.length;
    await page.evaluate('sync.goOnline()');
    await page.evaluate('sync.flush()');
    expect(await status(page)).toMatchObject({ full: true, pending: 0 });
    expect([await held(), await shown()]).toEqual([count, count]);
    await page.evaluate("goals.delete('g0')");
    expect([await held(), await shown()]).toEqual([count - 1, count - 1]);
    await page.limitStorage();
    await page.evaluate("goals.put({ id: 'more' }).then(() => sync.flush())");
    await soon(async () => expect(await status(page)).toMatchObject({ full: false, pending: 0, connection: 'live' }));
    expect([await held(), await shown()]).toEqual([count, count]);
  });

  test('a frozen leader tab loses the lead: the visible tab sends its edits, and the revived tab follows', async () => {
    const first = await tab('frozen');
    await soon(async () => expect(await status(first)).toMatchObject({ leader: true, connection: 'live' }));
    const second = await tab('frozen');
    await soon(async () => expect(await status(second)).toMatchObject({ leader: false, connection: 'live' }));
    // In the middle of its writes.
    await first.evaluate("void Promise.all(Array.from({ length: 50 }, (_, i) => sync.collection('goal').put({ id: `first ${i}` })))");
    await first.lifecycle('frozen');
    await second.evaluate("sync.collection('goal').put({ id: 'second' })");
    await soon(async () => expect(await status(second)).toMatchObject({ leader: true, pending: 0 }));
    expect(((await gateway.pull('frozen')) as { goals: { id: string }[] }).goals.map(goal => goal.id)).toContain('second');
    await first.lifecycle('active');
    await soon(async () => expect(await status(first)).toMatchObject({ leader: false, connection: 'live' }));
    await soon(async () => expect((await gateway.pull('frozen')).goals).toHaveLength(51));
    await soon(async () => expect(await first.evaluate("sync.collection('goal').all().then(all => all.length)")).toBe(51));
  });

  test('a leader tab that is frozen while a transaction is being committed gives up the lead at once', async () => {
    const first = await tab('committing');
    await soon(async () => expect(await status(first)).toMatchObject({ leader: true, connection: 'live' }));
    const second = await tab('committing');
    await soon(async () => expect(await status(second)).toMatchObject({ leader: false, connection: 'live' }));
    // The browser commits a transaction once none of its requests is left.
    await first.evaluate(`(() => {
      const requests = new Map();
      let isFrozen = false;
      for (const source of [IDBObjectStore, IDBIndex]) for (const name of ['get', 'getAll', 'count', 'put', 'delete', 'clear']) {
        const native = source.prototype[name];
        if (native) source.prototype[name] = function (...given) {
          const request = native.apply(this, given);
          const { transaction } = request;
          requests.set(transaction, (requests.get(transaction) ?? 0) + 1);
          request.addEventListener('success', () => {
            requests.set(transaction, requests.get(transaction) - 1);
            const next = new MessageChannel();
            next.port1.onmessage = () => {
              if (isFrozen || transaction.mode !== 'readwrite' || requests.get(transaction)) return;
              isFrozen = true;
              document.dispatchEvent(new Event('freeze'));
            };
            next.port2.postMessage(0);
          });
          return request;
        };
      }
    })()`);
    void first.evaluate("sync.collection('goal').put({ id: 'first' })");
    await soon(async () => expect(await status(second)).toMatchObject({ leader: true }));
    await first.evaluate("document.dispatchEvent(new Event('resume'))");
    await first.evaluate("sync.collection('goal').put({ id: 'second' }).then(() => sync.flush())");
    const { goals } = (await gateway.pull('committing')) as { goals: { id: string }[] };
    expect(goals.map(({ id }) => id).sort()).toEqual(['first', 'second']);
  });

  test('a leader tab that stops without an event loses the lead, and follows once it runs again', async () => {
    const first = await tab('stopped');
    await soon(async () => expect(await status(first)).toMatchObject({ leader: true, connection: 'live' }));
    const second = await tab('stopped');
    await soon(async () => expect(await status(second)).toMatchObject({ leader: false, connection: 'live' }));
    await first.evaluate("sync.collection('goal').put({ id: 'first' }).then(() => sync.flush())");
    await first.stop();
    await second.evaluate("sync.collection('goal').put({ id: 'second' })");
    await soon(async () => expect(await status(second)).toMatchObject({ leader: true, pending: 0, connection: 'live' }));
    await first.resume();
    await soon(async () => expect(await status(first)).toMatchObject({ leader: false, connection: 'live' }));
    await first.evaluate("sync.collection('goal').put({ id: 'third' }).then(() => sync.flush())");
    const { goals, lastSeq } = (await gateway.pull('stopped')) as { goals: { id: string }[]; lastSeq: number };
    expect(goals.map(({ id }) => id)).toEqual(['first', 'second', 'third']);
    expect(lastSeq).toBe(3);
  });

  test('a slow line carries edits up and a first sync down, each once, in steps that are shown', async () => {
    const entries = Array.from({ length: 2_500 }, (_, i) => ({ id: `e${i}`, notes: `${Math.random()}`.repeat(3), updatedAt: new Date() }));
    const headers = { authorization: `Bearer ${gateway.token('down')}`, 'content-type': 'application/json' };
    await fetch(`${gateway.url}/api/sync/push`, { method: 'POST', headers, body: JSON.stringify({ changes: { entries } }) });
    const [up, down] = await Promise.all([tab('up', { offline: true }), tab('down', { offline: true })]);
    await up.throttle(1_000_000, 24_000);
    await down.throttle(24_000, 1_000_000);
    for (const page of [up, down]) {
      await page.evaluate(`globalThis.sent = [];
        sync.on('frame', ({ direction, label, data }) => direction === 'out' && label.startsWith('POST') && sent.push(label + data));`);
    }
    await up.evaluate(`sync.collection('goal').putAll(Array.from({ length: 400 }, (_, i) => ({
      id: 'g' + i, notes: Array.from({ length: 100 }, () => Math.random().toString(36).padEnd(12, '0').slice(2)).join('') })))`);
    await Promise.all([up, down].map(page => page.evaluate('sync.goOnline()')));
    const steps = async (page: Page, count: string, until: number) => {
      const seen = new Set<number>();
      for (let now = NaN; now !== until; await new Promise(resolve => setTimeout(resolve, 200))) {
        seen.add((now = await page.evaluate(count)));
      }
      return [...seen];
    };
    const [pending, arrived] = await Promise.all([
      steps(up, 'sync.status.pending', 0),
      steps(down, "sync.collection('logbook_entry').all().then(all => all.length)", 2_500),
    ]);
    expect(pending.length).toBeGreaterThan(2);
    expect(arrived.some(count => count > 0 && count < 2_500)).toBe(true);
    expect(((await gateway.pull('up')) as { goals: unknown[] }).goals).toHaveLength(400);
    for (const page of [up, down]) {
      while ((await status(page)).connection !== 'live') await new Promise(resolve => setTimeout(resolve, 200));
      const sent = await page.evaluate<string[]>('sent.filter(label => !label.includes("ticket"))');
      expect(new Set(sent).size).toBe(sent.length);
    }
  }, 240_000);

  test('a database that the browser deleted is created again, and everything is fetched', async () => {
    const page = await tab('cleared');
    await page.evaluate("sync.collection('goal').put({ id: 'kept' }).then(() => sync.flush())");
    await page.evaluate("sync.on('lost', event => (globalThis.lost = event))");
    await page.clear();
    await soon(async () => expect(await page.evaluate('globalThis.lost')).toEqual({ edits: 0 }));
    await soon(
      async () => expect(await page.evaluate("sync.collection('goal').all().then(all => all.map(goal => goal.id))")).toEqual(['kept']));
    await soon(async () => expect(await status(page)).toMatchObject({ connection: 'live' }));
  });
});
