import WebSocket from 'ws';
import type { Platform, Sync } from '../../src/index.js';
import type { Random } from './random.js';

/** A network and a process of one device's own, which may fail. Time runs fifty times as fast for waits. */
export class World {
  /** The probability that a request is lost before or after it reaches the server. */
  loss = 0;
  /** A frozen tab hears no other one; what it has begun may end all the same, so that two tabs lead for a while. */
  isFrozen = false;
  readonly unheard: (() => void)[] = [];
  private isDead = false;
  private readonly sockets = new Set<WebSocket>();

  constructor(private readonly random: Random, private readonly skewMs = 0, private readonly haste = 50) {}

  platform(): Partial<Platform> {
    return {
      fetch: (input, init) => this.fetch(input as string, init!),
      WebSocket: this.socketClass(),
      now: () => Date.now() + this.skewMs,
      random: this.random.next,
      // Long time-outs are shortened less, or a busy machine would look like an unreachable one.
      setTimeout: (run, ms) => setTimeout(() => this.isDead || run(), ms < 10_000 ? ms / this.haste : ms / 5),
    };
  }

  /** Cuts every socket as a lost network does. */
  drop(): void {
    for (const socket of this.sockets) socket.terminate();
  }

  thaw(): void {
    this.isFrozen = false;
    for (const hear of this.unheard.splice(0)) hear();
  }

  /** Ends the process: nothing that it waits for arrives any more. */
  die(): void {
    this.isDead = true;
    this.drop();
  }

  /** The process of this tab ends, and the browser takes back what it held: its lock, its channel, its connection to the database. */
  end(sync: Sync): void {
    this.die();
    const { tabs, store } = sync as unknown as Record<'tabs' | 'store', { close(): void }>;
    tabs.close();
    store.close();
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    const lost = this.random.next() < this.loss ? this.random.below(2) + 1 : 0;
    await this.hangIfDead();
    if (lost === 1) throw new TypeError('lost on the way there');
    const response = await fetch(url, init);
    const text = await response.text();
    await this.hangIfDead();
    if (lost === 2) throw new TypeError('lost on the way back');
    return new Response(
      response.status === 304 || response.status === 204 ? null : text, { status: response.status, headers: response.headers });
  }

  private hangIfDead(): Promise<void> {
    return this.isDead ? new Promise(() => {}) : Promise.resolve();
  }

  private socketClass(): typeof WebSocket {
    const world = this;
    return class extends WebSocket {
      constructor(url: string) {
        super(url);
        world.sockets.add(this);
        this.on('close', () => world.sockets.delete(this));
        this.on('error', () => {});
      }

      override emit(event: string | symbol, ...rest: unknown[]): boolean {
        return world.isDead ? false : super.emit(event, ...rest);
      }
    } as typeof WebSocket;
  }
}
