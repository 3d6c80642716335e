import type { Context } from './context.js';
import { Failure, isQuota, unknownAnswer } from './net/failure.js';
import { Socket } from './net/socket.js';
import { backoff } from './pure/backoff.js';
import { connectionTable, isOnline, type ConnectionAction, type ConnectionEvent, type ConnectionState } from './pure/connectionTable.js';
import { Machine } from './pure/table.js';
import { returnAfter } from './pure/verdict.js';
import type { SocketFrame } from './pure/wire.js';
import { Puller } from './puller.js';
import { Queue } from './queue.js';

const BLOCKED_AFTER = 3;
const PROBE_MS = 60_000;
const VERIFY_MS = 300_000;
const MENDS_MS = 5_000;
const STEADY_MS = 5_000;

/** Keeps this device in touch with the server, as its table says. Only the leading tab's does anything. */
export class Connection {
  readonly puller: Puller;
  readonly queue: Queue;
  private readonly machine: Machine<ConnectionState, ConnectionEvent, ConnectionAction>;
  private socket: Socket | undefined;
  private timer: unknown;
  private refresh: unknown;
  private check: unknown;
  private steady: unknown;
  /** Which try to connect this is: what an earlier one still hears is not news. */
  private attempt = 0;
  private failures = 0;
  private retryAfterMs = 0;
  /** The last request of the connection's own failed. */
  private isAway = false;
  /** Sockets in a row that let nothing through although a ticket was given out. */
  private unopened = 0;
  private probedAt = 0;
  private pulling: Promise<void> = Promise.resolve();
  private frames: Promise<void> = Promise.resolve();

  constructor(private readonly context: Context) {
    this.machine = new Machine<ConnectionState, ConnectionEvent, ConnectionAction>(connectionTable, 'following', action => this.act(action), () => this.moved());
    this.puller = new Puller(context);
    this.queue = new Queue(context, this.puller, this);
  }

  get state(): ConnectionState {
    return this.machine.state;
  }

  fire(event: ConnectionEvent): void {
    this.machine.fire(event);
  }

  /** There may be a network again: what waited because there was none goes now. */
  hurry(): void {
    this.failures = 0;
    this.fire('online');
    this.queue.fire('flush');
  }

  /** The server has answered a batch. */
  answered(lacks: boolean): void {
    if (this.state === 'waiting') this.fire('timer');
    else if (lacks) this.fire('gap');
  }

  private moved(): void {
    if (this.state === 'live') this.lasts();
    this.queue.fire(isOnline(this.state) ? 'release' : 'hold');
    this.context.stir();
  }

  /** A connection that breaks as soon as it is live is no success yet: without this its next try would always be the first. */
  private lasts(): void {
    const { platform } = this.context;
    this.unopened = this.retryAfterMs = 0;
    platform.clearTimeout(this.steady);
    this.steady = platform.setTimeout(() => (this.failures = 0), STEADY_MS);
  }

  private act(action: ConnectionAction): void {
    switch (action) {
      case 'connect': return void this.connect();
      case 'resume': return void this.resume();
      case 'pull': return void (this.pulling = this.pull());
      case 'poll': return void this.poll();
      case 'backOff': return this.wakeIn(backoff(this.failures, this.context.platform.random(), this.retryAfterMs), 'timer');
      case 'disconnect': return this.disconnect();
    }
  }

  private async connect(): Promise<void> {
    const { store, http, platform, url, device } = this.context;
    const attempt = ++this.attempt;
    this.hangUp();
    platform.clearTimeout(this.timer);
    try {
      const { token, lastSeq } = await store.cursor();
      if (attempt !== this.attempt) return;
      // Revision 0 is of every life of the history: whether it is still ours, only the token can tell.
      if (token === null || !lastSeq) await this.puller.pull();
      if (attempt !== this.attempt) return;
      if (!platform.WebSocket) return this.fire('blocked');
      const { ticket } = ((await http.call('POST', '/api/sync/ticket')).body ?? {}) as { ticket?: string };
      if (attempt !== this.attempt || this.state !== 'connecting') return;
      if (!ticket) throw unknownAnswer();
      this.open(`${url.replace(/^http/, 'ws')}/sync/ws?ticket=${encodeURIComponent(ticket)}&deviceId=${encodeURIComponent(device)}`);
    } catch (error) {
      if (attempt === this.attempt) this.failed(error);
    }
  }

  private open(address: string): void {
    try {
      this.socket = this.socketTo(address);
    } catch {
      // The page's own policy forbids it.
      this.closed(1006, false);
    }
  }

  private socketTo(address: string): Socket {
    const socket: Socket = new Socket(address, this.context.platform, {
      opened: () => this.socket === socket && this.fire('opened'),
      frame: frame => {
        this.frames = this.frames.then(async () => {
          if (this.socket === socket) await this.hear(socket, frame);
        });
      },
      closed: (code, worked) => this.socket === socket && this.closed(code, worked),
    }, frame => this.context.log({ ...frame, via: 'socket' }));
    return socket;
  }

  private async resume(): Promise<void> {
    const { socket } = this;
    try {
      const { lastSeq } = await this.context.store.cursor();
      if (!socket || socket !== this.socket) return;
      socket.send({ type: 'SYNC_REQUEST', lastSeq });
    } catch (error) {
      if (socket === this.socket) this.failed(error);
      return;
    }
    this.refreshInTime();
    this.queue.fire('flush');
    this.checkLater();
  }

  private async hear(socket: Socket, frame: SocketFrame): Promise<void> {
    try {
      if (frame.type === 'AUTHENTICATED') return this.refreshInTime();
      const startsOver = frame.reset && !frame.lastSeq;
      if (startsOver) await this.puller.restart();
      if (startsOver || !(await this.puller.take(frame))) {
        this.fire('gap');
        await this.pulling;
        if (!(await this.puller.take(frame))) return socket.close();
      }
      if (frame.type === 'SYNC_RESPONSE' && !frame.mutationId && socket === this.socket) this.fire('caughtUp');
    } catch (error) {
      // What was not stored comes again: the cursor has not moved.
      socket.close();
      if (isQuota(error)) this.context.tell('quota', { message: (error as Error).message });
    }
  }

  /** What becomes of it is news only to the connection that it was made for. */
  private async pull(): Promise<void> {
    const { socket } = this;
    try {
      await this.puller.pull();
      if (socket === this.socket) this.fire('caughtUp');
    } catch (error) {
      if (socket === this.socket) this.failed(error);
    }
  }

  private async poll(): Promise<void> {
    const { platform, pollMs } = this.context;
    this.hangUp();
    this.probedAt ||= platform.now();
    try {
      await this.puller.pull();
      if (this.isAway) this.queue.fire('flush');
      this.isAway = false;
      this.failures = 0;
    } catch (error) {
      this.failed(error);
    }
    if (this.state !== 'polling') return;
    const probes = platform.WebSocket && Math.abs(platform.now() - this.probedAt) >= PROBE_MS;
    if (probes) this.probedAt = 0;
    this.wakeIn(this.failures ? backoff(this.failures, platform.random(), Math.max(pollMs, this.retryAfterMs)) : pollMs, probes ? 'probe' : 'timer');
  }

  /** The token may be replaced in band before it ends, so that the socket outlives it. */
  private refreshInTime(): void {
    const { platform, credentials } = this.context;
    const ms = credentials.msLeft();
    platform.clearTimeout(this.refresh);
    if (!Number.isNaN(ms)) this.refresh = platform.setTimeout(() => void this.refreshNow(), Math.min(Math.max(ms, 0), 2 ** 31 - 1));
  }

  private async refreshNow(): Promise<void> {
    const { platform, credentials, http } = this.context;
    const { socket } = this;
    credentials.drop();
    try {
      socket?.send({ type: 'AUTH', token: await http.token() });
    } catch (error) {
      if (error instanceof Failure && error.verdict === 'unauthorized') this.found(error);
      else if (socket && socket === this.socket) this.refresh = platform.setTimeout(() => void this.refreshNow(), MENDS_MS);
    }
  }

  /** Now and then a pull compares digests, and brings the token forward to where the socket has come. */
  private checkLater(): void {
    const { platform } = this.context;
    platform.clearTimeout(this.check);
    this.check = platform.setTimeout(() => {
      if (this.state === 'live') this.puller.pull().catch(() => {});
      this.checkLater();
    }, VERIFY_MS);
  }

  private closed(code: number, worked: boolean): void {
    this.hangUp();
    const { fresh, failures } = returnAfter(code);
    if (fresh) this.context.credentials.drop(true);
    this.failures += failures;
    this.retryAfterMs = 0;
    this.unopened = worked ? 0 : this.unopened + 1;
    this.fire(this.unopened >= BLOCKED_AFTER ? 'blocked' : 'dropped');
  }

  private failed(error: unknown): void {
    this.isAway = true;
    this.failures++;
    this.retryAfterMs = error instanceof Failure ? error.retryAfterMs : 0;
    if (isQuota(error)) this.context.tell('quota', { message: (error as Error).message });
    if (error instanceof Failure && (error.verdict === 'unauthorized' || error.verdict === 'refused')) this.found(error);
    else this.drop();
  }

  private drop(): void {
    this.hangUp();
    this.fire('dropped');
  }

  /** What any request may find out: that the token or the device does not count any more. */
  found(failure: Failure): void {
    const said = { code: failure.code, message: failure.message };
    if (!isOnline(this.state)) return;
    if (failure.verdict === 'unauthorized') {
      this.fire('unauthorized');
      this.context.tell('signedOut', { ...said, erased: false });
    } else if (failure.verdict === 'refused') {
      this.fire('refused');
      this.context.tell('refused', said);
    }
  }

  private wakeIn(ms: number, event: ConnectionEvent): void {
    const { platform } = this.context;
    platform.clearTimeout(this.timer);
    this.timer = platform.setTimeout(() => this.fire(event), ms);
  }

  private hangUp(): void {
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
    for (const timer of [this.refresh, this.check, this.steady]) this.context.platform.clearTimeout(timer);
  }

  private disconnect(): void {
    this.attempt++;
    this.hangUp();
    this.context.platform.clearTimeout(this.timer);
    this.context.http.abort();
  }
}
