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
   * Called once when the socket has ended. `hasReceived` is false if no frame ever arrived: the network blocks sockets or swallows their
   * frames.
   */
  closed(code: number, hasReceived: boolean): void;
}

/** One socket. It closes after silence, because a lost network reports nothing. */
export class Socket {
  readonly #socket: InstanceType<NonNullable<Platform['WebSocket']>>;
  #timer: unknown;
  #isOpen = false;
  #hasReceived = false;
  /** Silence is timed, to notice that the device slept, and pings are counted, because the clock may be set back. */
  #lastFrameAt: number;
  #missedPongs = 0;
  #isEnded = false;

  constructor(
    url: string, private readonly platform: Platform, private readonly events: SocketEvents,
    private readonly log: (frame: Omit<Frame, 'at' | 'via'>) => void) {
    this.#lastFrameAt = platform.now();
    this.#socket = new platform.WebSocket!(url);
    this.#socket.onopen = () => this.#open();
    this.#socket.onmessage = (message: { data: unknown }) => this.#onMessage(message.data);
    this.#socket.onclose = (event: { code: number }) => this.#end(event.code);
    this.#socket.onerror = () => {}; // A close follows, and says as much.
    // The server sends the first frame: a socket without one by then is closed.
    this.#timer = platform.setTimeout(() => this.close(), OPEN_TIMEOUT_MS);
  }

  send(frame: { type: string } & Record<string, unknown>): void {
    if (!this.#isOpen || this.#isEnded) return;
    const { token, ...shown } = frame;
    this.log({ direction: 'out', label: frame.type, data: token ? { ...shown, token: '…' } : shown });
    this.#socket.send(JSON.stringify(frame));
  }

  /** Ends without waiting for the server, because a lost network never answers. */
  close(): void {
    this.#end(1000);
    try {
      this.#socket.close(1000);
    } catch {
      // Some implementations throw if the socket is not open yet.
    }
  }

  #open(): void {
    if (this.#isEnded) return;
    this.#isOpen = true;
    this.events.opened();
  }

  #ping(): void {
    if (this.#missedPongs++ >= MISSED_PONGS_MAX || this.platform.now() - this.#lastFrameAt > SILENCE_MAX_MS) return this.close();
    this.send({ type: 'PING' });
    this.#pingLater();
  }

  #onMessage(data: unknown): void {
    if (this.#isEnded) return;
    const frame = parseJson(data) as SocketFrame | null | undefined;
    if (typeof frame?.type !== 'string') return this.close();
    if (!this.#hasReceived) this.#pingLater();
    this.#hasReceived = true;
    this.#missedPongs = 0;
    this.#lastFrameAt = this.platform.now();
    this.log({ direction: 'in', label: frame.type, data: frame });
    this.events.frame(frame);
  }

  #pingLater(): void {
    this.platform.clearTimeout(this.#timer);
    this.#timer = this.platform.setTimeout(() => this.#ping(), PING_INTERVAL_MS);
  }

  #end(code: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.platform.clearTimeout(this.#timer);
    this.events.closed(code, this.#hasReceived);
  }
}
