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

  async function tab(user: string): Promise<Page> {
    const page = await chromium.open(`http://127.0.0.1:${(server.address() as { port: number }).port}/`);
    const options = JSON.stringify({ url: gateway.url, token: gateway.token(user) });
    await page.evaluate(`import('/sync.js').then(async ({ openSync }) => { globalThis.sync = await openSync(${options}); })`);
    return page;
  }

  const status = (page: Page) => page.evaluate<SyncStatus>('sync.status');

  test('a leader tab that is frozen loses the lead: the visible tab\'s edits leave, and the revived one follows', async () => {
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
