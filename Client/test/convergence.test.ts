import { forceCloseDatabase } from 'fake-indexeddb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { history } from '../src/history.js';
import { openSync, type Conflict, type Doc, type Sync } from '../src/index.js';
import { merging } from '../src/merging.js';
import { FakeTabs } from './support/fakeWorld.js';
import { Gateway, isBuilt } from './support/gateway.js';
import { Random, seeds } from './support/random.js';
import { World } from './support/world.js';

const TYPES = ['logbook_entry', 'goal', 'repertoire_item', 'user_preferences', 'note'] as const;
const MEMBERS = { logbook_entry: 'entries', goal: 'goals', repertoire_item: 'repertoire' } as const;
const STEPS = 60;
// Some devices are ten years off. Two honest devices that edit a document such a device has dated both claim its time + 1 ms: the server
// counts either as the moment it arrives, so that the order of arrival decides. Arriving in one millisecond they tie, and the higher
// fingerprint wins. The loser is in the feed.
const YEARS = 10 * 365 * 86_400_000;

type Entity = Doc & { id: string; version?: number; mark?: number };

/** One write of the run: what it left behind must be found somewhere. `over` is the write its author saw. */
interface Write {
  mark: number;
  type: string;
  id: string;
  over: number | undefined;
  by: string;
}

interface Tab {
  sync: Sync;
  world: World;
}

/** One database, and the tabs that have it open: the first of them leads. */
interface Installation {
  name: string;
  skewMs: number;
  browser: FakeTabs;
  /** One in five is behind a proxy that lets no socket through. */
  isBlocked: boolean;
  /** Two in three merge, as an app does that was updated on some devices. */
  merges: boolean;
  loss: number;
  tabs: Tab[];
}

class Run {
  readonly writes: Write[] = [];
  readonly devices: Installation[] = [];
  private readonly random: Random;
  private readonly disk: Disk;
  private marks = 0;
  /** What was written until then may be gone with everything else. */
  private erasedAt = 0;

  constructor(private readonly gateway: Gateway, private readonly seed: number, readonly user = `u${seed}`) {
    this.random = new Random(seed);
    this.disk = new Disk(this.random);
  }

  async open(): Promise<void> {
    for (const name of ['laptop', 'phone', 'tablet']) {
      const device = {
        name, skewMs: this.random.of([0, 0, -4_000, 4_000, -YEARS, YEARS]), browser: new FakeTabs(), isBlocked: !this.random.below(5),
        merges: this.random.below(3) > 0,
        loss: this.random.of([0, 0.1, 0.3]), tabs: []
      };
      this.devices.push(device);
      for (let tabs = this.random.of([1, 1, 2]); tabs > 0; tabs--) await this.openTab(device);
    }
    this.disk.fullness = this.random.of([0, 0, 0.01, 0.05]);
  }

  private async openTab(device: Installation): Promise<void> {
    const world = new World(this.random, device.skewMs);
    world.loss = device.loss;
    const platform = {
      ...world.platform(), locks: device.browser.locks, BroadcastChannel: device.browser.channel(world),
      ...(device.isBlocked && { WebSocket: undefined })
    };
    const sync = await this.disk.whileEmpty(
      () => openSync({
        url: this.gateway.url, token: this.gateway.token(this.user), name: `${device.name}${this.seed}`, platform,
        ...(device.merges && { merging }),
      }));
    device.tabs.push({ sync, world });
  }

  async step(): Promise<void> {
    const device = this.random.of(this.devices);
    const tab = this.random.of(device.tabs);
    const dice = this.random.below(200);
    if (dice < 120) await this.edit(tab.sync, device.name);
    else if (dice < 140) tab.sync.goOffline();
    else if (dice < 166) tab.sync.goOnline();
    else if (dice < 174) tab.world.drop();
    else if (dice < 184) await this.leave(device, tab);
    else if (dice < 185) await this.erase();
    else if (dice < 190) await closeDatabase(tab.sync);
    else if (dice < 194) tab.world.isFrozen = true;
    else if (dice < 197) tab.world.thaw();
    else await pause(this.random.below(40));
  }

  /** A tab closes, or its process ends; another one is opened, before or after: the lead goes over in the middle of whatever it was at. */
  private async leave(device: Installation, tab: Tab): Promise<void> {
    const isLate = this.random.below(2) === 0;
    if (isLate) await this.openTab(device);
    device.tabs.splice(device.tabs.indexOf(tab), 1);
    if (this.random.below(2)) await tab.sync.close();
    else tab.world.end(tab.sync);
    if (!isLate || !device.tabs.length) await this.openTab(device);
    while (device.tabs.length > 2) await device.tabs.shift()!.sync.close();
  }

  private async erase(): Promise<void> {
    this.erasedAt = this.marks;
    const response = await fetch(
      `${this.gateway.url}/api/sync/data`,
      { method: 'DELETE', headers: { authorization: `Bearer ${this.gateway.token(this.user)}`, confirm: 'erase' } });
    expect(response.status).toBe(200);
    this.erasedAt = this.marks;
  }

  private async edit(sync: Sync, by: string): Promise<void> {
    const type = this.random.of(TYPES);
    const id = type === 'user_preferences' ? this.user : `${type.slice(0, 2)}${this.random.below(3)}-x`;
    const collection = sync.collection<Entity>(type);
    const seen = await collection.get(id);
    if (seen && this.random.below(100) < 15) {
      await collection.delete(seen).then(() => seen.mark && this.writes.push({ mark: -1, type, id, over: seen.mark, by }), isFull);
      return;
    }
    const mark = ++this.marks;
    const named = type === 'repertoire_item' ? { scoreId: id } : {};
    await collection.put({ version: 0, ...seen, ...named, id, mark, instrument: 'Piano' }).then(
      () => this.writes.push({ mark, type, id, over: seen?.mark, by }), isFull);
  }

  /** Everybody is back, and nothing is lost any more: how the server and each device see it. */
  async converge(): Promise<void> {
    this.disk.fullness = 0;
    const tabs = this.devices.flatMap(device => device.tabs);
    for (const { sync, world } of tabs) {
      world.loss = 0;
      world.thaw();
      sync.goOnline();
    }
    // A tab that is just taking over is offline for a moment, and says so.
    for (const { sync } of tabs) while (!(await sync.flush().then(() => true, () => false))) await pause(5);
    const views = async () => {
      const server = held(await this.gateway.pull(this.user));
      const all = await Promise.all(tabs.map(async ({ sync }) => [await viewOf(sync), sync.status.pending, sync.status.poisoned]));
      return { server, all };
    };
    const deadline = Date.now() + 40_000;
    for (;;) {
      const { server, all } = await views();
      const isEqual = all.every(([view, pending, poisoned]) => JSON.stringify(view) === JSON.stringify(server) && !pending && !poisoned);
      if (isEqual) return;
      if (Date.now() > deadline) {
        await this.tell(server);
        for (const [view, pending, poisoned] of all) expect({ view, pending, poisoned }).toEqual({ view: server, pending: 0, poisoned: 0 });
        return;
      }
      await pause(20);
    }
  }

  /** Says of each tab where it stands, and what its database holds where it shows something else than the server. */
  private async tell(server: Record<string, Doc>): Promise<void> {
    for (const { name, isBlocked, merges, tabs } of this.devices) for (const { sync } of tabs) {
      const view = await viewOf(sync);
      const odd = [...new Set([...Object.keys(view), ...Object.keys(server)])].filter(
        key => JSON.stringify(view[key]) !== JSON.stringify(server[key]));
      const { store } = sync as unknown as { store: { cursor(): Promise<object>; name: string } };
      console.error(JSON.stringify({ name, isBlocked, merges, status: sync.status, cursor: await store.cursor(), odd }));
      console.error(JSON.stringify({ rows: await rowsOf(store.name, odd), queue: await sync.queue() }));
    }
  }

  /** Every write is what is stored, or was replaced by somebody who saw it, or is in the feed or the history. */
  async lost(): Promise<Write[]> {
    const stored = new Set(Object.values(held(await this.gateway.pull(this.user))).map(doc => (doc as Entity).mark));
    const feed: Conflict[] = await this.devices[0]!.tabs[0]!.sync.conflicts();
    const kept = new Set(feed.map(conflict => conflict.document.mark));
    if (process.env.DEBUG_MODEL) console.log(
      JSON.stringify(
        {
          writes: this.writes, feed: feed.map(f => [f.entityId, f.reason, f.deviceId, f.document]),
          stored: held(await this.gateway.pull(this.user)), skew: this.devices.map(d => [d.name, d.skewMs, d.tabs[0]!.sync.status.device])
        }));
    const replaced = new Set(this.writes.map(write => write.over));
    const gone = this.writes.filter(({ mark }) => mark > this.erasedAt && !stored.has(mark) && !kept.has(mark) && !replaced.has(mark));
    const isInHistory = await Promise.all(gone.map(write => this.isInHistory(write)));
    return gone.filter((_, i) => !isInHistory[i]);
  }

  /**
   * A merging device rebases what waits and then names the merged version as its base. A later edit of the same member, made without having
   * seen that version, replaces it without a row in the feed, but not without a trace.
   */
  private async isInHistory({ mark, type, id }: Write): Promise<boolean> {
    if (!this.devices.some(device => device.merges)) return false;
    for await (const version of history(this.devices[0]!.tabs[0]!.sync, type, id)) if (version.document?.mark === mark) return true;
    return false;
  }

  /** A document that no other device has touched is dated by its author's own clock, however wrong the other clocks are. */
  async datesAreOwn(): Promise<void> {
    for (const { name, skewMs, tabs } of this.devices) {
      const { updatedAt } = await tabs[0]!.sync.collection('note').put({ id: `fresh ${name}` });
      expect(Date.parse(updatedAt as string)).toBeLessThanOrEqual(Date.now() + skewMs);
    }
  }

  async close(): Promise<void> {
    for (const { tabs } of this.devices) await tabs[0]!.sync.signOut();
    this.disk.mend();
  }
}

/** As a browser does that is short of memory, or on its way into the background. */
async function closeDatabase(sync: Sync): Promise<void> {
  const database = await (sync as unknown as { store: { database: Promise<IDBDatabase> | undefined } }).store.database;
  if (database) forceCloseDatabase(database as never);
}

/** The browser's storage, which may be full at any write. */
class Disk {
  fullness = 0;
  private readonly put = IDBObjectStore.prototype.put;

  constructor(random: Random) {
    const disk = this;
    IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...rest: [unknown, IDBValidKey?]) {
      if (random.next() < disk.fullness) throw new DOMException('The disk is full.', 'QuotaExceededError');
      return disk.put.apply(this, rest);
    };
  }

  async whileEmpty<T>(work: () => Promise<T>): Promise<T> {
    const { fullness } = this;
    this.fullness = 0;
    return work().finally(() => (this.fullness = fullness));
  }

  mend(): void {
    IDBObjectStore.prototype.put = this.put;
  }
}

async function rowsOf(database: string, keys: readonly string[]): Promise<unknown[]> {
  const opened = await new Promise<IDBDatabase>(resolve => {
    const request = indexedDB.open(database);
    request.onsuccess = () => resolve(request.result);
  });
  const rows = await Promise.all(keys.map(key => new Promise(resolve => {
    const request = opened.transaction('rows').objectStore('rows').get(key.split(' '));
    request.onsuccess = () => resolve(request.result ?? key);
  })));
  opened.close();
  return rows;
}

/** A write that does not fit is refused where it is made, which is no loss. */
function isFull(error: Error): void {
  if (error.name !== 'QuotaExceededError') throw error;
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

const sorted = (docs: [string, Doc][]): Record<string, Doc> =>
  Object.fromEntries(
    docs.sort(([a], [b]) => (a < b ? -1 : 1)).map(
      ([key, doc]) => [key, Object.fromEntries(Object.entries(doc).sort(([a], [b]) => (a < b ? -1 : 1)))]));

function held(pull: Record<string, unknown>): Record<string, Doc> {
  const lists = [
    ...Object.entries(MEMBERS).map(([type, member]) => [type, pull[member]]), ...Object.entries(pull.other as object),
    ['user_preferences', pull.preferences ? [pull.preferences] : []]
  ];
  return sorted(lists.flatMap(([type, docs]) => (docs as Entity[]).map(doc => [`${type} ${doc.id}`, doc] as [string, Doc])));
}

async function viewOf(sync: Sync): Promise<Record<string, Doc>> {
  const docs = await Promise.all(
    TYPES.map(async type => (await sync.collection<Entity>(type).all()).map(doc => [`${type} ${doc.id}`, doc] as [string, Doc])));
  return sorted(docs.flat());
}

describe.skipIf(!isBuilt)('three devices and the server', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  afterAll(() => gateway.stop());

  test.each(seeds(8))('end with equal data, and lose no edit, MIRUBATO_SEED=%i', async seed => {
    const run = new Run(gateway, seed);
    await run.open();
    for (let i = 0; i < STEPS; i++) await run.step();
    await run.converge();
    expect(await run.lost()).toEqual([]);
    await run.datesAreOwn();
    await run.close();
  });
});
