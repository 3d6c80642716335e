import { StateMachine } from './pure/stateMachine.js';
import type { SocketFrame } from './pure/wire.js';
import { Puller } from './puller.js';
import { backoff } from './pure/backoff.js';
import { Socket } from './net/socket.js';
import type { Context } from './deviceContext.js';
import { Failure, retryAfter, unknownAnswer } from './net/failure.js';
import { Queue } from './queue.js';
import { connectionTable, isOnline, type ConnectionAction, type ConnectionEvent, type ConnectionState } from './pure/connectionTable.js';
import { reconnectAfter } from './pure/verdict.js';

const BLOCKED_AFTER = 3;
const PROBE_MS = 60_000;
const VERIFY_MS = 300_000;
const TOKEN_RETRY_MS = 5_000;
const STEADY_AFTER_MS = 5_000;

/** Connects this device to the server as the connection table says. Only the leader's connection does anything. */
export class Connection {
  readonly puller: Puller;
  readonly queue: Queue;
  readonly #machine: StateMachine<ConnectionState, ConnectionEvent, ConnectionAction>;
  #socket: Socket | undefined;
  #timer: unknown;
  #refreshTimer: unknown;
  #verifyTimer: unknown;
  #steadyTimer: unknown;
  /** Numbers the attempts to connect; results of an earlier attempt are ignored. */
  #attempt = 0;
  #failures = 0;
  #retryAfterMs = 0;
  /** True if the connection's own last request failed. */
  #lastFailed = false;
  /** Counts consecutive sockets that delivered nothing although a ticket was issued. */
  #failedSockets = 0;
  #probedAt = 0;
  #pulling: Promise<void> = Promise.resolve();
  #frames: Promise<void> = Promise.resolve();

  constructor(private readonly context: Context) {
    this.#machine = new StateMachine<ConnectionState, ConnectionEvent, ConnectionAction>(
      connectionTable, 'following', action => this.#perform(action), () => this.#onTransition());
    this.puller = new Puller(context);
    this.queue = new Queue(context, this.puller, this);
  }

  get state(): ConnectionState {
    return this.#machine.state;
  }

  fire(event: ConnectionEvent): void {
    this.#machine.fire(event);
  }

  /** Retries at once, because the network may be back. */
  retryNow(): void {
    this.#failures = 0;
    this.fire('online');
    this.queue.fire('flush');
  }

  /** The queue calls this when the server answered a batch. */
  onAnswer(isIncomplete: boolean): void {
    if (this.state === 'waiting') this.fire('timer');
    else if (isIncomplete) this.fire('gap');
  }

  #onTransition(): void {
    if (this.state === 'live') this.#resetFailuresLater();
    this.queue.fire(isOnline(this.state) ? 'release' : 'hold');
    this.context.invalidate();
  }

  /**
   * Resets the back-off only after a connection has lasted, or a connection that breaks at once would always retry after the first wait.
   */
  #resetFailuresLater(): void {
    const { platform } = this.context;
    this.#failedSockets = this.#retryAfterMs = 0;
    platform.clearTimeout(this.#steadyTimer);
    this.#steadyTimer = platform.setTimeout(() => (this.#failures = 0), STEADY_AFTER_MS);
  }

  #perform(action: ConnectionAction): void {
    switch (action) {
      case 'connect': return void this.#connect();
      case 'resume': return void this.#resume();
      case 'pull': return void (this.#pulling = this.#pull());
      case 'poll': return void this.#poll();
      case 'backOff': return this.#wakeIn(backoff(this.#failures, this.context.platform.random(), this.#retryAfterMs), 'timer');
      case 'disconnect': return this.#disconnect();
    }
  }

  async #connect(): Promise<void> {
    const { store, http, platform, url, device } = this.context;
    const attempt = ++this.#attempt;
    this.#closeSocket();
    platform.clearTimeout(this.#timer);
    try {
      const { token, lastSeq, isClean } = await store.cursor();
      if (attempt !== this.#attempt) return;
      // Revision 0 exists in every epoch of the history, so only the token tells whether the history is still the same.
      if (!token || !lastSeq || !isClean) await this.puller.pull();
      if (attempt !== this.#attempt) return;
      if (!platform.WebSocket) return this.fire('blocked');
      const { ticket } = ((await http.call('POST', '/api/sync/ticket')).body ?? {}) as { ticket?: string };
      if (attempt !== this.#attempt || this.state !== 'connecting') return;
      if (!ticket) throw unknownAnswer();
      this.#open(`${url.replace(/^http/, 'ws')}/sync/ws?ticket=${encodeURIComponent(ticket)}&deviceId=${encodeURIComponent(device)}`);
    } catch (error) {
      if (attempt === this.#attempt) this.#failed(error);
    }
  }

  #open(address: string): void {
    this.puller.isReplaced = false;
    try {
      const socket: Socket = new Socket(address, this.context.platform, {
        opened: () => this.#socket === socket && this.fire('opened'),
        frame: frame => {
          this.#frames = this.#frames.then(async () => {
            if (this.#socket === socket) await this.#onFrame(socket, frame);
          });
        },
        closed: (code, hasReceived) => this.#socket === socket && this.#closed(code, hasReceived),
      }, frame => this.context.log({ ...frame, via: 'socket' }));
      this.#socket = socket;
    } catch {
      // The page's content security policy forbids the socket.
      this.#closed(1006, false);
    }
  }

  async #resume(): Promise<void> {
    const socket = this.#socket;
    try {
      const { lastSeq } = await this.context.store.cursor();
      if (!socket || socket !== this.#socket) return;
      socket.send({ type: 'SYNC_REQUEST', lastSeq });
    } catch (error) {
      if (socket === this.#socket) this.#failed(error);
      return;
    }
    this.#refreshTokenLater();
    this.queue.fire('flush');
    this.#verifyLater();
  }

  async #onFrame(socket: Socket, frame: SocketFrame): Promise<void> {
    try {
      if (frame.type === 'AUTHENTICATED') return this.#refreshTokenLater();
      if (this.puller.isReplaced) return socket.close();
      const startsOver = frame.reset && !frame.lastSeq;
      if (startsOver) await this.puller.restart();
      if (startsOver || !(await this.puller.apply(frame))) {
        this.fire('gap');
        await this.#pulling;
        if (!(await this.puller.apply(frame))) return socket.close();
      }
      if (frame.type === 'SYNC_RESPONSE' && socket === this.#socket) this.fire('caughtUp');
    } catch {
      // The cursor has not moved, so the server sends again what was not stored.
      socket.close();
    }
  }

  /** Reports the result only to the connection that started the pull. */
  async #pull(): Promise<void> {
    const socket = this.#socket;
    try {
      await this.puller.pull();
      if (socket === this.#socket) this.fire('caughtUp');
    } catch (error) {
      if (socket === this.#socket) this.#failed(error);
    }
  }

  async #poll(): Promise<void> {
    const { platform, pollMs } = this.context;
    this.#closeSocket();
    this.#probedAt ||= platform.now();
    try {
      await this.puller.pull();
      if (this.#lastFailed) this.queue.fire('flush');
      this.#lastFailed = false;
      this.#failures = 0;
    } catch (error) {
      this.#failed(error);
    }
    if (this.state !== 'polling') return;
    const isProbe = platform.WebSocket && Math.abs(platform.now() - this.#probedAt) >= PROBE_MS;
    if (isProbe) this.#probedAt = 0;
    const waitMs = this.#failures ? backoff(this.#failures, platform.random(), Math.max(pollMs, this.#retryAfterMs)) : pollMs;
    this.#wakeIn(waitMs, isProbe ? 'probe' : 'timer');
  }

  /** Replaces the token over the socket before it expires, so that the socket outlives it. */
  #refreshTokenLater(): void {
    const { platform, credentials } = this.context;
    const ms = credentials.msUntilRefresh();
    platform.clearTimeout(this.#refreshTimer);
    if (Number.isNaN(ms)) return;
    this.#refreshTimer = platform.setTimeout(() => void this.#refreshToken(), Math.min(ms, 2 ** 31 - 1));
  }

  async #refreshToken(): Promise<void> {
    const { platform, credentials, http } = this.context;
    const socket = this.#socket;
    credentials.discard();
    try {
      socket?.send({ type: 'AUTH', token: await http.token() });
    } catch (error) {
      if (error instanceof Failure && error.verdict === 'unauthorized') this.onFailure(error);
      else if (socket && socket === this.#socket) this.#refreshTimer = platform.setTimeout(() => void this.#refreshToken(), TOKEN_RETRY_MS);
    }
  }

  /** Pulls regularly while live, to compare digests and to bring the sync token up to the socket's revision. */
  #verifyLater(): void {
    const { platform } = this.context;
    platform.clearTimeout(this.#verifyTimer);
    this.#verifyTimer = platform.setTimeout(() => {
      if (this.state === 'live') this.puller.pull().catch(() => {});
      this.#verifyLater();
    }, VERIFY_MS);
  }

  #closed(code: number, hasReceived: boolean): void {
    this.#closeSocket();
    const { needsToken, failures } = reconnectAfter(code);
    if (needsToken) this.context.credentials.discard(true);
    this.#failures += failures;
    this.#retryAfterMs = 0;
    this.#failedSockets = hasReceived ? 0 : this.#failedSockets + 1;
    this.fire(this.#failedSockets >= BLOCKED_AFTER ? 'blocked' : 'dropped');
  }

  #failed(error: unknown): void {
    this.#lastFailed = true;
    this.#failures++;
    this.#retryAfterMs = retryAfter(error);
    if (error instanceof Failure) this.onFailure(error);
    this.#closeSocket();
    this.fire('dropped');
  }

  /** Handles a failure that concerns the whole connection: the token or the device is no longer accepted. */
  onFailure({ verdict, code, message }: Failure): void {
    if (!isOnline(this.state) || (verdict !== 'unauthorized' && verdict !== 'refused')) return;
    this.fire(verdict);
    if (verdict === 'refused') this.context.broadcast(verdict, { code, message });
    else this.context.broadcast('signedOut', { code, message, erased: false });
  }

  #wakeIn(ms: number, event: ConnectionEvent): void {
    const { platform } = this.context;
    platform.clearTimeout(this.#timer);
    this.#timer = platform.setTimeout(() => this.fire(event), ms);
  }

  #closeSocket(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    for (const timer of [this.#refreshTimer, this.#verifyTimer, this.#steadyTimer]) this.context.platform.clearTimeout(timer);
  }

  #disconnect(): void {
    this.#attempt++;
    this.#closeSocket();
    this.context.platform.clearTimeout(this.#timer);
    this.context.http.abort();
  }
}
