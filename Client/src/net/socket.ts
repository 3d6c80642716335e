import { parseJson, type SocketFrame } from '../pure/wire.js';
import type { Frame, Platform } from '../types.js';

const OPEN_TIMEOUT_MS = 10_000;
const PING_INTERVAL_MS = 30_000;
const SILENCE_MAX_MS = 75_000;
const MISSED_PONGS_MAX = 2;

export interface SocketEvents {
  opened(): void;
  frame(frame: SocketFrame): void;
  /**
   * Once, whatever ended it. `worked` tells a server that went away from a network that lets no socket through, or opens it and keeps what
   * is said.
   */
  closed(code: number, hasReceived: boolean): void;
}

/** One connection. It notices silence, which a network that has gone does not report. */
export class Socket {
  private readonly socket: InstanceType<NonNullable<Platform['WebSocket']>>;
  private timer: unknown;
  private isOpen = false;
  private hasReceived = false;
  /** Timed, for who slept, and counted, for the clock may be set back at any moment. */
  private lastFrameAt: number;
  private missedPongs = 0;
  private isEnded = false;

  constructor(
    url: string, private readonly platform: Platform, private readonly events: SocketEvents,
    private readonly log: (frame: Omit<Frame, 'at' | 'via'>) => void) {
    this.lastFrameAt = platform.now();
    this.socket = new platform.WebSocket!(url);
    this.socket.onopen = () => this.#open();
    this.socket.onmessage = (message: { data: unknown }) => this.#onMessage(message.data);
    this.socket.onclose = (event: { code: number }) => this.#end(event.code);
    this.socket.onerror = () => {}; // A close follows, and says as much.
    // The server speaks first: as long as it has not, nothing is open.
    this.timer = platform.setTimeout(() => this.close(), OPEN_TIMEOUT_MS);
  }

  send(frame: { type: string } & Record<string, unknown>): void {
    if (!this.isOpen || this.isEnded) return;
    const { token, ...shown } = frame;
    this.log({ direction: 'out', label: frame.type, data: token ? { ...shown, token: '…' } : shown });
    this.socket.send(JSON.stringify(frame));
  }

  /** Does not wait for the other side: a dead network never answers. */
  close(): void {
    this.#end(1000);
    try {
      this.socket.close(1000);
    } catch {
      // It was not open yet, which some implementations mind.
    }
  }

  #open(): void {
    if (this.isEnded) return;
    this.isOpen = true;
    this.events.opened();
  }

  #ping(): void {
    if (this.missedPongs++ >= MISSED_PONGS_MAX || this.platform.now() - this.lastFrameAt > SILENCE_MAX_MS) return this.close();
    this.send({ type: 'PING' });
    this.#pingLater();
  }

  #onMessage(data: unknown): void {
    if (this.isEnded) return;
    const frame = parseJson(data) as SocketFrame | null | undefined;
    if (typeof frame?.type !== 'string') return this.close();
    if (!this.hasReceived) this.#pingLater();
    this.hasReceived = true;
    this.missedPongs = 0;
    this.lastFrameAt = this.platform.now();
    this.log({ direction: 'in', label: frame.type, data: frame });
    this.events.frame(frame);
  }

  #pingLater(): void {
    this.platform.clearTimeout(this.timer);
    this.timer = this.platform.setTimeout(() => this.#ping(), PING_INTERVAL_MS);
  }

  #end(code: number): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.platform.clearTimeout(this.timer);
    this.events.closed(code, this.hasReceived);
  }
}
