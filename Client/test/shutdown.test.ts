import { afterEach, describe, expect, test } from 'vitest';
import type { Sync } from '../src/index.js';
import { FakeWorld, gate, rest, soon } from './support/fakeWorld.js';
import { closeAll, opened } from './support/openDevice.js';

// After close(), goOffline() and signOut() running work sends no request and leaves no timer.

const unhandled: unknown[] = [];
process.on('unhandledRejection', error => unhandled.push(error));
afterEach(async () => {
  await closeAll();
  await rest();
  expect(unhandled.splice(0)).toEqual([]);
});

/** Some turns of the event loop, so that work is caught in another place each time. */
const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve));
};
const each = Array.from({ length: 24 }, (_, i) => i);

describe.each(['close', 'signOut', 'goOffline'] as const)('%s', end => {
  const ends = async (sync: Sync) => void (await sync[end]());

  test.each(each)('%i turns of the event loop after connecting began: nothing more is sent, and no timer runs', async count => {
    const world = new FakeWorld();
    const sync = await opened(world);
    await turns(count);
    const ended = ends(sync);
    const sent = world.requests.length;
    await ended;
    await rest();
    await world.pass(1_000);
    expect(world.requests.slice(sent).map(request => request.path)).toEqual([]);
    expect(world.timersLeft).toBe(0);
  });

  test.each(each)('%i turns of the event loop after an edit was written: the edit is not sent', async count => {
    const world = new FakeWorld();
    const sync = await opened(world);
    await soon(() => expect(world.sockets).toHaveLength(1));
    await world.socket.lives();
    await sync.collection('goal').put({ id: 'g' });
    await turns(count);
    const ended = ends(sync);
    const sent = world.requests.length;
    await ended;
    await rest();
    await world.pass(1_000);
    expect(world.requests.slice(sent).map(request => request.path)).toEqual([]);
    expect(world.timersLeft).toBe(0);
    if (end === 'signOut') expect((await indexedDB.databases()).map(database => database.name)).not.toContain(world.database);
  });

  test.each(each)('%i turns of the event loop after the socket opened: no timer runs, and no error is thrown', async count => {
    const world = new FakeWorld();
    const sync = await opened(world);
    await soon(() => expect(world.sockets).toHaveLength(1));
    world.socket.onopen!();
    await turns(count);
    await ends(sync);
    await rest();
    expect(world.timersLeft).toBe(0);
    expect(world.socket.isClosed).toBe(true);
  });

  test.each([0, 1, 2, 4, 8, 16])('%i turns of the event loop after a page of the first pull: no further page is requested', async count => {
    const world = new FakeWorld();
    let pages = 0;
    world.answer = request => (
      request.path === '/api/sync/pull'
        ? {
          body: {
            entries: [{ id: `e${++pages}`, version: 1, updatedAt: '2026-11-22T10:00:00.000Z' }], syncToken: `e.${pages}`,
            lastSeq: pages, hasMore: pages < 200
          }
        }
        : undefined);
    const sync = await opened(world);
    await soon(() => expect(pages).toBeGreaterThan(3));
    await turns(count);
    const ended = ends(sync);
    const sent = pages;
    await ended;
    await rest();
    expect(pages).toBe(sent);
  });
});

test('an answer that arrives after signOut() restores no data', async () => {
  const world = new FakeWorld();
  const { opened: answered, open: answer } = gate();
  // A network that does not hear of the abort.
  world.answer = async request => {
    if (request.path === '/api/sync/batch' || request.path === '/api/sync/pull') await answered;
    return undefined;
  };
  const sync = await opened(world);
  await sync.collection('goal').put({ id: 'g' });
  await rest();
  await sync.signOut();
  answer();
  await rest();
  expect((await indexedDB.databases()).map(database => database.name)).not.toContain(world.database);
});
