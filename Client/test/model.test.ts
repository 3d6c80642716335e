import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSync, type Conflict, type Doc, type Sync } from '../src/index.js';
import { Gateway, isBuilt } from './support/gateway.js';
import { Random, seeds } from './support/random.js';
import { World } from './support/world.js';

const TYPES = ['logbook_entry', 'goal', 'repertoire_item', 'user_preferences', 'note'] as const;
const MEMBERS = { logbook_entry: 'entries', goal: 'goals', repertoire_item: 'repertoire' } as const;
const STEPS = 60;

type Entity = Doc & { id: string; version?: number; mark?: number };

/** One write of the run: what it left behind must be found somewhere. `over` is the write its author saw. */
interface Write {
  mark: number;
  type: string;
  id: string;
  over: number | undefined;
  by: string;
}

class Run {
  readonly writes: Write[] = [];
  readonly devices: { sync: Sync; world: World; name: string; skewMs: number }[] = [];
  private readonly random: Random;
  private marks = 0;

  constructor(private readonly gateway: Gateway, private readonly seed: number, readonly user = `u${seed}`) {
    this.random = new Random(seed);
  }

  async open(): Promise<void> {
    for (const name of ['laptop', 'phone', 'tablet']) this.devices.push(await this.device(name, this.random.of([0, 0, -4_000, 4_000])));
  }

  private async device(name: string, skewMs: number) {
    const world = new World(this.random, skewMs);
    world.loss = this.random.of([0, 0.1, 0.3]);
    // One in five is behind a proxy that lets no socket through.
    const platform = { ...world.platform(), ...(this.random.below(5) ? {} : { WebSocket: undefined }) };
    const sync = await openSync({ url: this.gateway.url, token: this.gateway.token(this.user), name: `${name}${this.seed}`, platform });
    return { sync, world, name, skewMs };
  }

  async step(): Promise<void> {
    const at = this.random.below(3);
    const device = this.devices[at]!;
    const dice = this.random.below(100);
    if (dice < 60) await this.edit(device.sync, device.name);
    else if (dice < 70) device.sync.goOffline();
    else if (dice < 84) device.sync.goOnline();
    else if (dice < 88) device.world.drop();
    else if (dice < 92) {
      device.world.die();
      // What a browser does with the connections of a process that ends.
      (device.sync as unknown as { store: { close(): void } }).store.close();
      this.devices[at] = await this.device(device.name, device.skewMs);
    } else await pause(this.random.below(40));
  }

  private async edit(sync: Sync, by: string): Promise<void> {
    const type = this.random.of(TYPES);
    const id = type === 'user_preferences' ? this.user : `${type.slice(0, 2)}${this.random.below(3)}-x`;
    const collection = sync.collection<Entity>(type);
    const seen = await collection.get(id);
    if (seen && this.random.below(100) < 15) {
      if (seen.mark) this.writes.push({ mark: -1, type, id, over: seen.mark, by });
      return collection.delete(seen);
    }
    const mark = ++this.marks;
    this.writes.push({ mark, type, id, over: seen?.mark, by });
    const named = type === 'repertoire_item' ? { scoreId: id } : {};
    await collection.put({ version: 0, ...seen, ...named, id, mark, instrument: 'Piano' });
  }

  /** Everybody is back, and nothing is lost any more: how the server and each device see it. */
  async converge(): Promise<void> {
    for (const { sync, world } of this.devices) {
      world.loss = 0;
      sync.goOnline();
    }
    await Promise.all(this.devices.map(device => device.sync.flush()));
    const views = async () => {
      const server = held(await this.gateway.pull(this.user));
      const all = await Promise.all(this.devices.map(async ({ sync }) => [await viewOf(sync), sync.status.pending, sync.status.poisoned]));
      return { server, all };
    };
    const deadline = Date.now() + 40_000;
    for (;;) {
      const { server, all } = await views();
      const isEqual = all.every(([view, pending, poisoned]) => JSON.stringify(view) === JSON.stringify(server) && !pending && !poisoned);
      if (isEqual) return;
      if (Date.now() > deadline) {
        for (const [view, pending, poisoned] of all) expect({ view, pending, poisoned }).toEqual({ view: server, pending: 0, poisoned: 0 });
        return;
      }
      await pause(20);
    }
  }

  /** Every write is what is stored, or was replaced by somebody who saw it, or is in the feed. */
  async lost(): Promise<Write[]> {
    const stored = new Set(Object.values(held(await this.gateway.pull(this.user))).map(doc => (doc as Entity).mark));
    const feed: Conflict[] = await this.devices[0]!.sync.conflicts();
    const kept = new Set(feed.map(conflict => conflict.document.mark));
    if (process.env.DEBUG_MODEL) console.log(JSON.stringify({ writes: this.writes, feed: feed.map(f => [f.entityId, f.reason, f.deviceId, f.document]), stored: held(await this.gateway.pull(this.user)), skew: this.devices.map(d => [d.name, d.skewMs, d.sync.status.device]) }));
    const replaced = new Set(this.writes.map(write => write.over));
    return this.writes.filter(({ mark }) => mark > 0 && !stored.has(mark) && !kept.has(mark) && !replaced.has(mark));
  }

  async close(): Promise<void> {
    for (const { sync } of this.devices) await sync.signOut();
  }
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

const sorted = (docs: [string, Doc][]): Record<string, Doc> =>
  Object.fromEntries(docs.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, doc]) => [key, Object.fromEntries(Object.entries(doc).sort(([a], [b]) => (a < b ? -1 : 1)))]));

function held(pull: Record<string, unknown>): Record<string, Doc> {
  const lists = [...Object.entries(MEMBERS).map(([type, member]) => [type, pull[member]]), ...Object.entries(pull.other as object), ['user_preferences', pull.preferences ? [pull.preferences] : []]];
  return sorted(lists.flatMap(([type, docs]) => (docs as Entity[]).map(doc => [`${type} ${doc.id}`, doc] as [string, Doc])));
}

async function viewOf(sync: Sync): Promise<Record<string, Doc>> {
  const docs = await Promise.all(TYPES.map(async type => (await sync.collection<Entity>(type).all()).map(doc => [`${type} ${doc.id}`, doc] as [string, Doc])));
  return sorted(docs.flat());
}

describe.skipIf(!isBuilt)('three devices and the server', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  afterAll(() => gateway.stop());

  test.each(seeds(8))('converge and lose nothing, MIRUBATO_SEED=%i', async seed => {
    const run = new Run(gateway, seed);
    await run.open();
    for (let i = 0; i < STEPS; i++) await run.step();
    await run.converge();
    expect(await run.lost()).toEqual([]);
    await run.close();
  });
});
