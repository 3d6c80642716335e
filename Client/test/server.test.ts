import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { openSync, type Sync, type SyncOptions } from '../src/index.js';
import { SDK_VERSION, supportBundle } from '../src/support.js';
import { Gateway, isBuilt } from './support/gateway.js';
import { Random } from './support/random.js';
import { World } from './support/world.js';

type Entry = { id: string; notes?: string };

describe.skipIf(!isBuilt)('with the real server', () => {
  let gateway: Gateway;
  const open: Sync[] = [];
  let users = 0;
  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  afterAll(() => gateway.stop());
  afterEach(async () => {
    for (const sync of open.splice(0)) await sync.close();
  });

  async function device(user: string, more: Partial<SyncOptions> = {}): Promise<Sync> {
    const platform = new World(new Random(1)).platform();
    const sync = await openSync({ url: gateway.url, token: () => gateway.token(user), name: `${Math.random()}`, platform, ...more });
    open.push(sync);
    return sync;
  }

  const user = () => `live${++users}`;
  const until = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 40_000, interval: 10 });
  const isLive = (sync: Sync) => until(() => expect(sync.status.connection).toBe('live'));
  const api = (method: string, path: string, who: string, headers = {}) =>
    fetch(gateway.url + path, { method, headers: { authorization: `Bearer ${gateway.token(who)}`, ...headers } });

  test('create, edit and delete reach the other device', async () => {
    const who = user();
    const [laptop, phone] = [await device(who), await device(who)];
    await isLive(laptop);
    await isLive(phone);
    const [here, there] = [laptop.collection<Entry>('logbook_entry'), phone.collection<Entry>('logbook_entry')];
    const seen: (string | undefined)[][] = [];
    there.subscribe(all => seen.push(all.map(entry => entry.notes)));
    const entry = await here.put({ id: 'e', notes: 'slow' });
    await until(() => expect(seen.at(-1)).toEqual(['slow']));
    await here.put({ ...entry, notes: 'fast' });
    await until(() => expect(seen.at(-1)).toEqual(['fast']));
    await here.delete('e');
    await until(() => expect(seen.at(-1)).toEqual([]));
    await until(() => expect([laptop.status.revision, phone.status.revision]).toEqual([3, 3]));
  });

  test('a support bundle shows equal digests of device and server', async () => {
    const sync = await device(user());
    await isLive(sync);
    await sync.collection<Entry>('logbook_entry').put({ id: 'e', notes: 'slow' });
    await until(() => expect(sync.status.revision).toBe(1));
    const { cursor, server, unsent, entities } = await supportBundle(sync);
    expect(server).toMatchObject({ ...cursor, protocol: 1, version: SDK_VERSION, entities: 1, failure: null });
    expect([cursor.lastSeq, unsent.count, entities]).toEqual([1, 0, { logbook_entry: 1 }]);
    expect(Math.abs(server.clockAheadMs!)).toBeLessThan(60_000);
  });

  test('after two offline edits of one entry both devices show the later one, and the earlier one can be restored', async () => {
    const who = user();
    const [laptop, phone] = [await device(who), await device(who)];
    const [here, there] = [laptop.collection<Entry>('logbook_entry'), phone.collection<Entry>('logbook_entry')];
    await here.put({ id: 'e', notes: 'first' });
    const seen = await until(async () => (await there.get('e')) ?? expect.fail());
    phone.goOffline();
    const earlier = await there.put({ ...seen, notes: 'offline' });
    await there.put({ id: 'f', notes: 'only here' });
    // Neither of two edits in one millisecond is the later one.
    await until(() => expect(Date.now()).toBeGreaterThan(Date.parse(earlier.updatedAt as string)));
    await here.put({ ...(await here.get('e'))!, notes: 'online' });
    await laptop.flush();
    phone.goOnline();
    await phone.flush();
    await until(async () => expect([(await here.get('e'))?.notes, (await there.get('e'))?.notes]).toEqual(['online', 'online']));
    await until(async () => expect((await here.get('f'))?.notes).toBe('only here'));
    const [lost] = await laptop.conflicts();
    expect(lost).toMatchObject({ type: 'logbook_entry', entityId: 'e', reason: 'stale', document: { notes: 'offline' } });
    await lost!.restore();
    await until(async () => expect([(await here.get('e'))?.notes, (await there.get('e'))?.notes]).toEqual(['offline', 'offline']));
    expect(await laptop.conflicts()).not.toContainEqual(expect.objectContaining({ id: lost!.id }));
  });

  test('after two edits of one entry in one millisecond both devices show the same one, and the other is in the conflicts', async () => {
    const who = user();
    let frozenAt: number | undefined;
    const platform = { ...new World(new Random(1)).platform(), now: () => frozenAt ?? Date.now() };
    const [laptop, phone] = [await device(who, { platform }), await device(who, { platform })];
    const [here, there] = [laptop.collection<Entry>('logbook_entry'), phone.collection<Entry>('logbook_entry')];
    await here.put({ id: 'e', notes: 'first' });
    await until(async () => (await there.get('e')) ?? expect.fail());
    await laptop.flush();
    for (const sync of [laptop, phone]) sync.goOffline();
    frozenAt = Date.now();
    const [one, other] = [
      await there.put({ ...(await there.get('e'))!, notes: 'phone' }), await here.put({ ...(await here.get('e'))!, notes: 'laptop' })
    ];
    expect(one.updatedAt).toBe(other.updatedAt);
    frozenAt = undefined;
    for (const sync of [laptop, phone]) {
      sync.goOnline();
      await sync.flush();
    }
    const shown = async () => [(await here.get('e'))!.notes, (await there.get('e'))!.notes];
    await until(async () => expect(new Set(await shown()).size).toBe(1));
    const [winner] = await shown();
    expect((await laptop.conflicts()).map(conflict => conflict.document.notes)).toEqual([winner === 'phone' ? 'laptop' : 'phone']);
    expect((await gateway.pull(who)).entries).toMatchObject([{ notes: winner }]);
  });

  test('1,200 queued edits are stored exactly once although the server is killed meanwhile', async () => {
    const who = user();
    const platform = new World(new Random(1)).platform();
    let batches = 0;
    const killed = { promise: Promise.resolve(), resolve: (_: Promise<void>) => {} };
    killed.promise = new Promise(resolve => (killed.resolve = resolve));
    const sync = await device(who, { offline: true, platform: { ...platform, fetch: async (url, init) => {
      const answer = fetch(url, init);
      // Some milliseconds on, so that it may die before, in or after the commit.
      if (String(url).endsWith('/api/sync/batch') && ++batches === 2) setTimeout(() => killed.resolve(gateway.kill()), Math.random() * 60);
      return answer;
    } } });
    await sync.collection('logbook_entry').putAll(Array.from({ length: 1_200 }, (_, i) => ({ id: `e${i}`, notes: `${i}` })));
    sync.goOnline();
    await killed.promise;
    await gateway.up();
    await sync.flush();
    const stored = (await gateway.pull(who)) as { entries: { version: number }[]; lastSeq: number };
    expect(stored.entries).toHaveLength(1_200);
    // A second execution of anything would have taken a revision more.
    expect(stored.lastSeq).toBe(1_200);
    await until(() => expect(sync.status).toMatchObject({ pending: 0, poisoned: 0, revision: 1_200 }));
  });

  test('a batch whose answer was lost is sent again, and the server replays the answer', async () => {
    const who = user();
    const world = new World(new Random(7));
    const keys: (string | undefined)[] = [];
    const replays: (string | null)[] = [];
    const platform = world.platform();
    let isFirst = true;
    const sync = await device(who, { platform: { ...platform, fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (!String(url).endsWith('/api/sync/batch')) return response;
      keys.push((init!.headers as Record<string, string>)['x-idempotency-key']);
      replays.push(response.headers.get('x-idempotent-replay'));
      if (!isFirst) return response;
      isFirst = false;
      throw new TypeError('lost on the way back');
    } } });
    await sync.collection('goal').put({ id: 'g', title: 'once' });
    await sync.flush();
    expect(keys[1]).toBe(keys[0]);
    expect(replays).toEqual([null, 'true']);
    expect(await gateway.pull(who)).toMatchObject({ lastSeq: 1 });
  });

  test('an edit that the server refuses is parked, and the others are sent', async () => {
    const who = user();
    const sync = await device(who);
    await sync.collection('logbook_entry').putAll([{ id: 'big', notes: 'x'.repeat(300_000) }, { id: 'ok' }]);
    await sync.flush();
    expect(await sync.queue()).toMatchObject([{ id: 'big', state: 'poisoned', error: { code: 'too_large' } }]);
    expect(await gateway.pull(who)).toMatchObject({ entries: [{ id: 'ok' }] });
    await sync.discard((await sync.queue())[0]!.n);
    expect((await sync.collection<Entry>('logbook_entry').all()).map(entry => entry.id)).toEqual(['ok']);
  });

  test('erasing the user on the server deletes the documents here, but not the unsent edits', async () => {
    const who = user();
    const [laptop, phone] = [await device(who), await device(who)];
    await laptop.collection('logbook_entry').put({ id: 'old' });
    await until(async () => expect(await phone.collection('logbook_entry').all()).toHaveLength(1));
    phone.goOffline();
    await phone.collection('logbook_entry').put({ id: 'new' });
    expect((await api('DELETE', '/api/sync/data', who, { confirm: 'erase' })).status).toBe(200);
    phone.goOnline();
    for (const sync of [laptop, phone]) await until(
      async () => expect((await sync.collection<Entry>('logbook_entry').all()).map(entry => entry.id)).toEqual(['new']));
  });

  test('after a restore from a backup an edit of a lost version does not overwrite the new version of that number', async () => {
    const who = user();
    const [laptop, phone] = [await device(who), await device(who)];
    const [here, there] = [laptop.collection<Entry>('logbook_entry'), phone.collection<Entry>('logbook_entry')];
    const shows = (collection: typeof here, notes: string) => until(async () => expect((await collection.get('e'))?.notes).toBe(notes));
    const first = await here.put({ id: 'e', notes: 'first' });
    await laptop.flush();
    await gateway.backUp();
    await here.put({ ...first, notes: 'after the backup' });
    await laptop.flush();
    await shows(there, 'after the backup');
    phone.goOffline();
    await there.put({ ...(await there.get('e'))!, notes: 'offline, on what is lost' });
    await gateway.restore();
    await shows(here, 'first');
    // It takes the version that the lost one had.
    await here.put({ ...(await here.get('e'))!, notes: 'after the restore' });
    await laptop.flush();
    phone.goOnline();
    await phone.flush();
    for (const collection of [here, there]) await shows(collection, 'after the restore');
    expect((await laptop.conflicts()).map(conflict => conflict.document.notes)).toContain('offline, on what is lost');
  });

  test('a piece without an id gets the id that the server gives it', async () => {
    const who = user();
    const sync = await device(who);
    const piece = await sync.collection<{ title: string }>('repertoire_item').put({ title: 'Clair de Lune' });
    await sync.flush();
    await until(() => expect(sync.status.revision).toBe(1));
    expect(await gateway.pull(who)).toMatchObject({ repertoire: [{ id: piece.id }] });
    expect(await sync.collection('repertoire_item').all()).toMatchObject([{ id: piece.id, title: 'Clair de Lune', version: 1 }]);
  });

  test('an edit of a type that the server refuses is parked', async () => {
    const sync = await device(user());
    await sync.collection('No Type').put({ id: 'x' });
    await sync.collection('goal').put({ id: 'ok' });
    await sync.flush();
    expect(await sync.queue()).toMatchObject([{ id: 'x', state: 'poisoned', error: { code: 'unknown_type' } }]);
  });

  test('after signing out everywhere the device continues with a newer token and loses nothing', async () => {
    const who = user();
    const sync = await device(who);
    await isLive(sync);
    expect((await api('POST', '/api/sync/sign-out-everywhere', who)).status).toBe(200);
    await sync.collection('goal').put({ id: 'g' });
    // A token of this very second is refused as well, so that the device may be signed out for a moment.
    await until(async () => {
      if (sync.status.connection === 'signedOut') sync.setToken(() => gateway.token(who));
      expect(await gateway.pull(who)).toMatchObject({ goals: [{ id: 'g' }] });
    });
    await until(() => expect(sync.status).toMatchObject({ connection: 'live', pending: 0 }));
  });

  test('the token is replaced over the socket before it expires', async () => {
    const who = user();
    const sync = await device(who, { token: () => gateway.token(who, 4) });
    const frames: string[] = [];
    sync.on('frame', frame => frame.via === 'socket' && frames.push(`${frame.direction} ${frame.label}`));
    await until(() => expect(frames).toContain('in AUTHENTICATED'));
    expect(frames.indexOf('out AUTH')).toBeLessThan(frames.indexOf('in AUTHENTICATED'));
    await isLive(sync);
  });

  test('a revoked device emits `refused` and keeps its data, and continues once it is allowed again', async () => {
    const who = user();
    const sync = await device(who, { device: 'lost phone' });
    await isLive(sync);
    await until(async () => expect((await api('DELETE', '/api/sync/devices/lost%20phone', who)).status).toBe(204));
    await until(() => expect(sync.status.connection).toBe('refused'));
    await sync.collection('goal').put({ id: 'g' });
    expect((await api('POST', '/api/sync/devices/lost%20phone/allow', who)).status).toBe(204);
    sync.goOnline();
    await sync.flush();
    expect(await gateway.pull(who)).toMatchObject({ goals: [{ id: 'g' }] });
  });

  test.each(['Jürgens Laptop', 'Ada’s tablet', '電話', '100% mine'])('a device with a name outside ASCII syncs: %s', async name => {
    const who = user();
    const sync = await device(who, { device: name });
    await isLive(sync);
    await sync.collection('goal').put({ id: 'g' });
    await sync.flush();
    expect(await gateway.pull(who)).toMatchObject({ goals: [{ id: 'g' }] });
    expect(sync.status.device).toBe(name);
  });

  test('the digest of the local documents equals the server\'s', async () => {
    const who = user();
    const sync = await device(who);
    const healed = vi.fn();
    sync.on('healed', healed);
    await sync.collection('goal').putAll(Array.from({ length: 50 }, (_, i) => ({ id: `g${i}` })));
    await sync.collection('repertoire_item').put({ scoreId: 'Clair de Lune - Debussy' });
    await sync.flush();
    await sync.collection('goal').delete('g7');
    await sync.flush();
    await until(() => expect(sync.status.revision).toBe(52));
    const { digest } = await (sync as unknown as { store: { verify(): Promise<{ digest: string }> } }).store.verify();
    expect(await gateway.pull(who)).toMatchObject({ digest, lastSeq: 52 });
    expect(healed).not.toHaveBeenCalled();
  });
});
