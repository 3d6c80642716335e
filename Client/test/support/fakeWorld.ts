import { vi } from 'vitest';
import { openSync, type Platform, type Sync, type SyncOptions } from '../../src/index.js';

export interface Request {
  method: string;
  path: string;
  body: string | undefined;
  headers: Record<string, string>;
}

/** A reply. `text` is the body of somebody else, for instance a proxy. */
export type Reply = { status?: number; body?: unknown; headers?: Record<string, string>; text?: string } | 'lost' | 'hangs';

interface Sent {
  entities: { type: string; id: string; data: Record<string, unknown>; deleted?: boolean; baseVersion?: number }[];
  syncToken?: string;
}

/** A fake platform and server for one device. Its clock moves only when the test moves it. */
export class FakeWorld {
  now = 1_800_000_000_000;
  random = 1;
  readonly requests: Request[] = [];
  readonly sockets: FakeSocket[] = [];
  /** What the server answers; undefined leaves it to `usual`. */
  answer: (request: Request) => Reply | undefined | Promise<Reply | undefined> = () => undefined;
  private version = 0;
  private ids = 0;
  private timers = new Map<number, { at: number; run: () => void }>();

  constructor(readonly tabs?: FakeTabs) {}

  platform(): Partial<Platform> {
    const world = this;
    return {
      fetch: (url, init) => this.fetch(String(url), init!),
      WebSocket: class extends FakeSocket {
        constructor(url: string) {
          super(url);
          world.sockets.push(this);
        }
      },
      CompressionStream: undefined,
      now: () => this.now,
      random: () => this.random,
      randomId: () => `id${++this.ids}-${Math.random()}`,
      setTimeout: (run, ms) => this.setTimeout(run, ms),
      clearTimeout: timer => void this.timers.delete(timer as number),
      ...(this.tabs ? { locks: this.tabs.locks, BroadcastChannel: this.tabs.channel(this) } : {}),
    };
  }

  /** A frozen tab receives no messages until it is thawed. */
  isFrozen = false;
  readonly unheard: (() => void)[] = [];

  thaw(): void {
    this.isFrozen = false;
    for (const hear of this.unheard.splice(0)) hear();
  }

  /** The database of the device that was opened last. */
  database = '';

  /** The number of running timers: a closed device must have none. */
  get timersLeft(): number {
    return this.timers.size;
  }

  open(options: Partial<SyncOptions> = {}): Promise<Sync> {
    const { name } = { name: `${Math.random()}`, ...options };
    this.database = `mirubato-sync:${name}:ada@https://sync.test`;
    return openSync({ url: 'https://sync.test', token: token('ada'), device: 'd', platform: this.platform(), ...options, name });
  }

  /** Advances the clock and fires each due timer in order. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await rest();
      const [next] = [...this.timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!next) break;
      this.timers.delete(next[0]);
      this.now = Math.max(this.now, next[1].at);
      next[1].run();
    }
    this.now = end;
    await rest();
  }

  /** Sets the clock without affecting running timers. Returns how many run. */
  shift(ms: number): number {
    this.now += ms;
    for (const timer of this.timers.values()) timer.at += ms;
    return this.timers.size;
  }

  to(path: string): Request[] {
    return this.requests.filter(request => request.path.startsWith(path));
  }

  get batches(): (Sent & { key: string; text: string })[] {
    return this.to('/api/sync/batch').map(
      ({ body, headers }) => ({ ...(JSON.parse(body!) as Sent), key: headers['x-idempotency-key']!, text: body! }));
  }

  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  /** The default reply of the server. */
  usual(request: Request): Reply {
    if (request.path.startsWith('/api/sync/pull')) return { body: { syncToken: 'e.0', lastSeq: 0 } };
    if (request.path.startsWith('/api/sync/ticket')) return { body: { ticket: `t${this.requests.length}` } };
    if (request.path.startsWith('/api/sync/batch')) return { body: this.accepted(JSON.parse(request.body!) as Sent) };
    return { body: {} };
  }

  accepted(sent: Sent, refused: (id: string) => string | undefined = () => undefined): object {
    const results = sent.entities.map(({ type, id, data, deleted }) => refused(id)
      ? { entityType: type, entityId: id, status: 'refused', version: 0 }
      : {
        entityType: type, entityId: id, status: deleted ? 'deleted' : 'updated', version: ++this.version,
        updatedAt: data.updatedAt ?? data.deletedAt
      });
    const conflicts = sent.entities.filter(({ id }) => refused(id)).map(
      ({ type, id }) => ({ entityType: type, entityId: id, reason: refused(id), message: 'no' }));
    return { results, conflicts, newSyncToken: 'e.0', lastSeq: 0 };
  }

  private setTimeout(run: () => void, ms: number): number {
    this.timers.set(++this.ids, { at: this.now + ms, run });
    return this.ids;
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    const request = {
      method: init.method!, path: url.replace('https://sync.test', ''), body: init.body as string | undefined,
      headers: init.headers as Record<string, string>
    };
    this.requests.push(request);
    const reply = (await this.answer(request)) ?? this.usual(request);
    if (reply === 'lost') throw new TypeError('network');
    if (reply === 'hangs') return new Promise((_, reject) => init.signal!.addEventListener('abort', () => reject(init.signal!.reason)));
    const status = reply.status ?? 200;
    return new Response(
      status === 304 || status === 204 ? null : (reply.text ?? JSON.stringify(reply.body)),
      { status, headers: { ...(reply.text === undefined && { 'x-sync-schema': '1' }), ...reply.headers } });
  }
}

export class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];
  isClosed = false;
  /** True if the socket answers no pings. */
  isMute = false;

  constructor(readonly url: string) {}

  send(text: string): void {
    const frame = JSON.parse(text) as Record<string, unknown>;
    this.sent.push(frame);
    if (frame.type === 'PING' && !this.isMute) void this.says({ type: 'PONG' });
  }

  close(): void {
    this.isClosed = true;
  }

  opens(): Promise<void> {
    this.onopen!();
    return rest();
  }

  says(frame: object): Promise<void> {
    this.onmessage!({ data: JSON.stringify(frame) });
    return rest();
  }

  ends(code: number): Promise<void> {
    this.onclose!({ code });
    return rest();
  }

  /** Opens the socket and reports that nothing was missed. */
  async lives(lastSeq = 0): Promise<void> {
    await this.opens();
    await this.says({ type: 'SYNC_RESPONSE', message: 'No new data to sync', lastSeq });
  }
}

interface Waiting {
  turn(): Promise<void>;
  ends(): void;
}

/** Locks and channels of one browser. */
export class FakeTabs {
  private readonly queues = new Map<string, Waiting[]>();
  private readonly channels = new Set<{ name: string; hear(data: unknown): void }>();

  readonly locks = {
    request: (name: string, { signal, steal }: { signal?: AbortSignal; steal?: boolean }, held: () => Promise<void>): Promise<void> =>
      new Promise<void>((resolve, reject) => {
      const queue = this.queues.get(name) ?? [];
      this.queues.set(name, queue);
      const ends = () => reject(new DOMException('aborted', 'AbortError'));
      const waiting = { ends, turn: async () => {
        await held();
        if (queue[0] !== waiting) return;
        queue.shift();
        resolve();
        void queue[0]?.turn();
      } };
      signal?.addEventListener('abort', () => {
        if (queue.indexOf(waiting) > 0) {
          queue.splice(queue.indexOf(waiting), 1);
          ends();
        }
      });
      if (steal) {
        queue.shift()?.ends();
        queue.unshift(waiting);
        void waiting.turn();
      } else if (queue.push(waiting) === 1) void waiting.turn();
    }),
  };

  /** `tab` may be frozen: it hears what was said meanwhile once it runs again. */
  channel(
    tab: { isFrozen: boolean; unheard: (() => void)[] } = { isFrozen: false, unheard: [] }): NonNullable<Platform['BroadcastChannel']> {
    const { channels } = this;
    return class {
      onmessage: ((event: { data: unknown }) => void) | null = null;
      constructor(readonly name: string) {
        channels.add(this);
      }

      hear(data: unknown): void {
        const hear = () => this.onmessage?.({ data });
        if (tab.isFrozen) tab.unheard.push(hear);
        else queueMicrotask(hear);
      }

      postMessage(message: unknown): void {
        const data = structuredClone(message);
        for (const other of channels) if (other !== this && other.name === this.name) other.hear(data);
      }

      close(): void {
        channels.delete(this);
      }
    };
  }
}

export function token(user: string, claims: object = {}): string {
  return `h.${Buffer.from(JSON.stringify({ sub: user, ...claims })).toString('base64url')}.s`;
}

/** Waits until the database is idle. Its answers take turns of the event loop, but no time. */
export async function rest(): Promise<void> {
  for (let i = 0; i < 150; i++) await new Promise(resolve => setImmediate(resolve));
}

/** Holds something back until the test opens it. It may be opened before anything waits for it. */
export function gate(): { opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>(resolve => (open = resolve));
  return { opened, open };
}

/** Waits until the check passes. */
export const soon = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 20_000, interval: 5 });
