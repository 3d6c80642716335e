import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { history, rewind, type Version } from '../src/history.js';
import { openSync, type Conflict, type Doc, type Sync, type SyncOptions } from '../src/index.js';
import { merging } from '../src/merging.js';
import { Gateway, isBuilt } from './support/gateway.js';
import { Random, seeds } from './support/random.js';
import { tellDevices } from './support/tellDevices.js';
import { World } from './support/world.js';

type Entity = Doc & { id: string };

const DOCUMENTS = 50;
const EDITS = 200;
const MEMBERS = ['notes', 'title', 'minutes', 'mood', 'place'];

describe.skipIf(!isBuilt)('with the real server', () => {
  let gateway: Gateway;
  const open: Sync[] = [];
  let users = 0;
  // An hour ago, and never twice the same: of two edits one is the later.
  let time = 0;
  const now = () => (time = Math.max(time + 10, Date.now() - 3_600_000));
  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  afterAll(() => gateway.stop());
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await tellDevices(open, gateway);
    for (const sync of open.splice(0)) await sync.close();
  });

  const until = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 60_000, interval: 10 });
  const user = () => `merges${++users}-${Math.random()}`;

  async function device(who: string, seed: number, more: Partial<SyncOptions> = {}): Promise<Sync> {
    const platform = { ...new World(new Random(seed)).platform(), now };
    const identity = { token: () => gateway.token(who), name: `${Math.random()}` };
    const sync = await openSync({ url: gateway.url, platform, merging, ...identity, ...more });
    open.push(sync);
    return sync;
  }

  /** Two devices that hold the same documents, and are offline. */
  async function pair(who: string, seed: number, names: readonly string[]): Promise<{ laptop: Sync; phone: Sync; ids: string[] }> {
    const [laptop, phone] = [await device(who, seed), await device(who, seed + 1)];
    const ids = Array.from({ length: DOCUMENTS }, (_, i) => `n${i}`);
    const fresh = Object.fromEntries(names.map(name => [name, `first ${name}`]));
    await laptop.collection('note').putAll(ids.map(id => ({ id, ...fresh, inside: { ...fresh } })));
    await laptop.flush();
    await until(async () => expect(await phone.collection('note').all()).toHaveLength(DOCUMENTS));
    await until(() => expect(phone.status).toMatchObject({ connection: 'live', revision: DOCUMENTS }));
    for (const sync of [laptop, phone]) sync.goOffline();
    return { laptop, phone, ids };
  }

  const notesOf = async (sync: Sync) => new Map((await sync.collection<Entity>('note').all()).map(note => [note.id, note]));
  const storedNotes = async (who: string) => {
    const { other } = (await gateway.pull(who)) as { other: { note: Entity[] } };
    return new Map(other.note.map(note => [note.id, note]));
  };

  async function areEqual(who: string, ...devices: Sync[]): Promise<Map<string, Entity>> {
    return until(async () => {
      const stored = await storedNotes(who);
      for (const sync of devices) {
        expect(sync.status.pending).toBe(0);
        expect(await notesOf(sync)).toEqual(stored);
      }
      return stored;
    });
  }

  test.each(seeds(3))('edits of different members are all kept, and the conflict feed stays empty, MIRUBATO_SEED=%i', async seed => {
    const who = user();
    const random = new Random(seed);
    const names = { laptop: MEMBERS, phone: MEMBERS.map(name => `${name}OnPhone`) };
    const { laptop, phone, ids } = await pair(who, seed, [...names.laptop, ...names.phone]);
    const expected = new Map<string, unknown>();
    const copies = new Map<string, Entity>();

    // On the latest copy or on one that it was given earlier, a member of the document or of an object in it.
    const edit = async (sync: Sync, own: readonly string[]) => {
      const [id, name, isInside] = [random.of(ids), random.of(own), random.below(3) === 0];
      const notes = sync.collection<Entity>('note');
      const held = copies.get(`${own === names.laptop} ${id}`);
      const seen = held && random.below(3) === 0 ? held : (await notes.get(id))!;
      const value = random.below(6) === 0 ? `first ${name}` : `edit ${expected.size} ${random.below(1_000_000)}`;
      // Writing what the copy has is no edit of it.
      if ((isInside ? (seen.inside as Doc) : seen)[name] === value) return;
      expected.set(`${id} ${isInside ? 'inside ' : ''}${name}`, value);
      const next = isInside ? { ...seen, inside: { ...(seen.inside as Doc), [name]: value } } : { ...seen, [name]: value };
      copies.set(`${own === names.laptop} ${id}`, await notes.put(next));
    };
    const someEdits = async (count: number) => {
      for (let i = 0; i < count; i++) await (random.below(2) ? edit(laptop, names.laptop) : edit(phone, names.phone));
    };
    await someEdits(EDITS / 2);
    // One is back and sends while both go on writing, then the other.
    laptop.goOnline();
    await someEdits(EDITS / 4);
    phone.goOnline();
    await someEdits(EDITS / 4);
    await Promise.all([laptop.flush(), phone.flush()]);

    const stored = await areEqual(who, laptop, phone);
    const found = new Map([...expected.keys()].map(key => {
      const [id, ...path] = key.split(' ');
      return [key, path.reduce<unknown>((value, name) => (value as Doc)[name], stored.get(id!))];
    }));
    expect(found).toEqual(expected);
    expect(await laptop.conflicts()).toEqual([]);
  });

  test.each(seeds(3))('the later edit of a member wins, and the earlier value can be restored by itself, MIRUBATO_SEED=%i', async seed => {
    const who = user();
    const random = new Random(seed);
    const { laptop, phone, ids } = await pair(who, seed, MEMBERS);
    type Changes = Map<string, { at: number; values: Map<string, string> }>;
    const changed = { laptop: new Map() as Changes, phone: new Map() as Changes };
    const edit = async (by: 'laptop' | 'phone', id: string) => {
      const notes = (by === 'laptop' ? laptop : phone).collection<Entity>('note');
      const name = random.of(MEMBERS);
      const value = `${by} ${random.below(1_000_000_000)}`;
      const { updatedAt } = await notes.put({ ...(await notes.get(id))!, [name]: value });
      const values = (changed[by].get(id)?.values ?? new Map<string, string>()).set(name, value);
      changed[by].set(id, { at: Date.parse(updatedAt as string), values });
    };
    for (let i = 0; i < EDITS; i++) await edit(random.of(['laptop', 'phone'] as const), random.of(ids));
    const reported = new Map<string, string[] | undefined>();
    for (const sync of [laptop, phone]) sync.on('conflict', ({ id, members }) => reported.set(id, members));
    for (const sync of [laptop, phone]) {
      sync.goOnline();
      await sync.flush();
    }

    const stored = await areEqual(who, laptop, phone);
    const lost = new Map<string, Map<string, string>>();
    for (const id of ids) {
      const [one, other] = [changed.laptop.get(id), changed.phone.get(id)];
      const [later, earlier] = (one?.at ?? 0) > (other?.at ?? 0) ? [one, other] : [other, one];
      const values = { ...Object.fromEntries(earlier?.values ?? []), ...Object.fromEntries(later?.values ?? []) };
      expect(stored.get(id)).toMatchObject(values);
      const beaten = [...(earlier?.values ?? [])].filter(([name]) => later?.values.has(name));
      if (beaten.length) lost.set(id, new Map(beaten));
    }

    const feed: Conflict[] = await laptop.conflicts();
    const pointersOf = (members: Iterable<string>) => [...members].map(name => `/${name}`).sort();
    expect(new Map(feed.map(({ entityId, members }) => [entityId, members]))).toEqual(
      new Map([...lost].map(([id, values]) => [id, pointersOf(values.keys())])));
    for (const [id, members] of reported) expect(members).toEqual(pointersOf(lost.get(id)!.keys()));

    for (const conflict of feed) await conflict.restore();
    const restored = await areEqual(who, laptop, phone);
    for (const id of ids) {
      const before = Object.fromEntries(MEMBERS.map(name => [name, stored.get(id)![name]]));
      expect(restored.get(id)).toMatchObject({ ...before, ...Object.fromEntries(lost.get(id) ?? []) });
    }
    expect(await laptop.conflicts()).toEqual([]);
  });

  const all = async (sync: Sync, type: string, id: string): Promise<Version[]> => {
    const versions = [];
    for await (const version of history(sync, type, id)) versions.push(version);
    return versions;
  };

  test('a deleted entry is restored from its history', async () => {
    const who = user();
    const sync = await device(who, 1, { device: 'laptop' });
    const pieces = sync.collection<{ title: string; scoreId: string }>('repertoire_item');
    for (let i = 0; i < 120; i++) {
      await pieces.put({ ...(await pieces.get('Étude - Chopin')), scoreId: 'Étude - Chopin', title: `take ${i}` });
      await sync.flush();
    }
    await pieces.delete('Étude - Chopin');
    await sync.flush();
    const versions = await all(sync, 'repertoire_item', 'Étude - Chopin');
    expect(versions).toHaveLength(121);
    expect(versions[0]).toMatchObject({ current: true, deleted: true, deviceId: 'laptop' });
    expect(versions.slice(1).map(({ document }) => document!.title)).toEqual(Array.from({ length: 120 }, (_, i) => `take ${119 - i}`));
    await versions[1]!.restore();
    await until(async () => expect(await pieces.get('Étude - Chopin')).toMatchObject({ title: 'take 119' }));
    await expect(all(sync, 'note', 'never')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    sync.goOffline();
    await expect(all(sync, 'repertoire_item', 'Étude - Chopin')).rejects.toMatchObject({ code: 'OFFLINE' });
  });

  test('a rewind undoes the edits of one device page by page, and an interrupted one continues without repeating a page', async () => {
    const who = user();
    const [good, bad] = [await device(who, 1, { device: 'good' }), await device(who, 2, { device: 'bad' })];
    const ids = Array.from({ length: 700 }, (_, i) => `n${i}`);
    await good.collection('note').putAll(ids.map(id => ({ id, text: 'right', mark: 0 })));
    await good.flush();
    await until(() => expect(bad.status.revision).toBe(700));
    const to = new Date();
    await until(() => expect(Date.now()).toBeGreaterThan(to.getTime() + 2));
    const theirs = bad.collection<Entity>('note');
    await theirs.putAll((await theirs.all()).map(note => ({ ...note, text: 'wrong' })));
    await theirs.delete('n7');
    await theirs.put({ id: 'new' });
    await bad.flush();
    await until(() => expect(good.status.revision).toBeGreaterThanOrEqual(1_401));
    const ours = good.collection<Entity>('note');
    await ours.put({ ...(await ours.get('n1'))!, mark: 1 });
    await good.flush();

    const planned = await rewind(good, { to, device: 'bad', dryRun: true });
    expect(planned).toHaveLength(701);
    expect((await storedNotes(who)).get('n1')).toMatchObject({ text: 'wrong' });
    const pages: number[] = [];
    const stop = new Error('cut off');
    await expect(rewind(good, { to, device: 'bad', types: ['note'], onPage: () => {
      throw stop;
    } })).rejects.toBe(stop);
    const done = await rewind(good, { to, device: 'bad', onPage: entities => pages.push(entities.length) });
    expect(done.length).toBeLessThan(701);
    expect(pages.length).toBeGreaterThan(1);
    const stored = await areEqual(who, good, bad);
    expect(stored.size).toBe(700);
    expect([...stored.values()].every(({ text }) => text === 'right')).toBe(true);
    expect(stored.get('n1')).toMatchObject({ mark: 1 });
    expect(await rewind(good, { to: to.toISOString(), device: 'bad' })).toEqual([]);
  });
});
