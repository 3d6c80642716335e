import { StatusBoard, type Led } from './board.js';
import { collection, View, type Shelf } from './collection.js';
import { conflictsOf } from './conflicts.js';
import { Connection } from './connection.js';
import type { Context } from './context.js';
import { Emitter } from './events.js';
import { Credentials } from './net/credentials.js';
import { isQuota, offline } from './net/failure.js';
import { Http } from './net/http.js';
import { isCutOff, watchNetwork } from './network.js';
import type { Edit, Key } from './store/steps.js';
import type { Store } from './store/store.js';
import { Tabs } from './tabs.js';
import type { Collection, Conflict, Doc, Platform, QueuedEdit, Sync, SyncEvents, SyncOptions, SyncStatus } from './types.js';

// How often a follower looks whether its leader lives, and how long that one has to say so.
const LOOK_MS = 10_000;
const ANSWER_MS = 5_000;
// What other tabs get to let the database go.
const ERASE_MS = 5_000;

/** What tabs tell each other. */
type Message =
  | { kind: 'changed'; keys: readonly Key[] }
  | { kind: 'status'; status: Led; switchedOff: boolean }
  | { kind: 'event'; event: keyof SyncEvents; payload: never }
  | { kind: 'hello' | 'wake' | 'flush' | 'pull' | 'erased' }
  | { kind: 'switch'; offline: boolean }
  | { kind: 'token'; token: string };

export interface Opened {
  name: string;
  user: string;
  device: string;
  store: Store;
  credentials: Credentials;
  platform: Platform;
}

/** One device of one user, as one tab sees it. */
export class Device implements Sync, Shelf {
  readonly store: Store;
  readonly user: string;
  private readonly platform: Platform;
  private readonly credentials: Credentials;
  private readonly http: Http;
  readonly events = new Emitter<SyncEvents>();
  private readonly connection: Connection;
  private readonly tabs: Tabs<Message>;
  private readonly views = new Map<string, View>();
  private readonly stopWatching: () => void;
  private readonly board: StatusBoard;
  /** Off by the app's switch, off by the browser: either is enough. */
  private readonly off: { app: boolean; browser: boolean };
  private closed = false;
  private thaw: () => void = () => {};
  private timer: unknown;
  /** A follower waits for its leader's answer. */
  private isLooking = false;
  private leaders: Led | undefined;

  constructor(opened: Opened, options: SyncOptions) {
    ({ store: this.store, user: this.user, platform: this.platform, credentials: this.credentials } = opened);
    this.off = { app: options.offline ?? false, browser: isCutOff() };
    const log: Context['log'] = frame => this.events.emit('frame', { ...frame, at: this.platform.now() });
    this.http = new Http(options.url, opened.device, this.credentials, this.platform, frame => log({ ...frame, via: 'http' }), () => this.isOff || this.closed);
    this.connection = new Connection({
      url: options.url, device: opened.device, pollMs: (options.pollSeconds ?? 5) * 1000, log,
      platform: this.platform, store: this.store, http: this.http, credentials: this.credentials,
      changed: keys => this.changed(keys), tell: (event, payload) => this.tell(event, payload), stir: () => this.board?.stir(),
    });
    this.tabs = new Tabs<Message>(opened.name, this.platform, () => this.turned(), message => this.heard(message));
    this.board = new StatusBoard(this.store, { user: this.user, device: opened.device }, () => this.standing(), {
      shown: status => this.events.emit('status', status),
      moved: led => this.tabs.isLeader && this.postStatus(led),
    });
    this.store.onClosed = isLost => (isLost ? this.lost(opened.device) : this.board.stir());
    this.look();
    this.stopWatching = watchNetwork(isOnline => this.turn({ browser: !isOnline }), () => this.connection.state === 'waiting' && this.turn({ browser: false }), () => this.freeze(), () => this.thaw());
  }

  get status(): SyncStatus {
    return this.board.status;
  }

  collection<T extends object = Doc>(type: string): Collection<T> {
    return collection<T>(this, type);
  }

  on<E extends keyof SyncEvents>(event: E, listener: (payload: SyncEvents[E]) => void): () => void {
    return this.events.on(event, listener);
  }

  makeId(): string {
    return this.platform.randomId();
  }

  view(type: string): View {
    const view = this.views.get(type) ?? new View(this.store, type);
    this.views.set(type, view);
    return view;
  }

  async write(edits: readonly Edit[]): Promise<Doc[]> {
    try {
      const written = await this.store.write(edits, this.platform.now());
      this.changed(edits.map(edit => [edit.type, edit.id]));
      this.wake('wake');
      return written;
    } catch (error) {
      if (isQuota(error)) this.events.emit('quota', { message: (error as Error).message });
      throw error;
    }
  }

  queue(): Promise<QueuedEdit[]> {
    return this.store.queue();
  }

  async retry(n?: number): Promise<void> {
    await this.store.retry(n);
    this.wake('flush');
  }

  async discard(n: number): Promise<void> {
    this.changed(await this.store.discard(n));
    this.board.stir();
  }

  async conflicts(): Promise<Conflict[]> {
    this.mustBeOn();
    return conflictsOf(this.http, () => this.pull());
  }

  async flush(seconds = 60): Promise<void> {
    const { platform } = this;
    this.wake('flush');
    for (let before = Infinity, since = 0; ; ) {
      await this.board.refresh();
      const { pending, connection } = this.status;
      if (pending === 0) return;
      if (this.closed || ['offline', 'signedOut', 'refused'].includes(connection)) throw offline();
      if (pending < before) since = platform.now();
      before = pending;
      const leftMs = since + seconds * 1000 - platform.now();
      if (leftMs <= 0) throw this.connection.queue.failure ?? offline('Nothing is acknowledged.');
      await new Promise<void>(resolve => {
        const timer = platform.setTimeout(() => end(), leftMs);
        const off = this.on('status', () => end());
        const end = () => {
          off();
          platform.clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async pull(): Promise<void> {
    this.mustBeOn();
    if (this.tabs.isLeader) await this.connection.puller.pull();
    else this.tabs.post({ kind: 'pull' });
  }

  goOffline(): void {
    this.tabs.post({ kind: 'switch', offline: true });
    this.switch(true);
  }

  goOnline(): void {
    this.tabs.post({ kind: 'switch', offline: false });
    this.switch(false);
  }

  /** Who turns it on knows better than the browser, which takes a machine without a known network for cut off. */
  private switch(isOff: boolean): void {
    this.turn(isOff ? { app: true } : { app: false, browser: false });
  }

  setToken(token: SyncOptions['token']): void {
    if (typeof token === 'string') this.tabs.post({ kind: 'token', token });
    this.takeToken(token);
  }

  private takeToken(token: SyncOptions['token']): void {
    this.credentials.replace(token);
    this.connection.fire('token');
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.end();
    await this.board.refresh();
    this.store.close();
  }

  private end(): void {
    this.closed = true;
    this.platform.clearTimeout(this.timer);
    this.stopWatching();
    this.connection.fire('close');
    this.tabs.close();
  }

  /** A frozen tab keeps the database from being deleted: it is emptied first, and goes when that tab ends. */
  async signOut(): Promise<void> {
    const { platform } = this;
    this.tabs.post({ kind: 'erased' });
    this.end();
    let timer: unknown;
    await Promise.race([this.store.erase(), new Promise<void>(resolve => (timer = platform.setTimeout(resolve, ERASE_MS)))]);
    platform.clearTimeout(timer);
    this.board.stir();
    this.erased();
  }

  private turned(): void {
    const { isLeader } = this.tabs;
    this.platform.clearTimeout(this.timer);
    if (isLeader && this.tabs.locks) this.store.lead(this.makeId());
    this.connection.fire(isLeader ? 'lead' : 'follow');
    if (!isLeader) this.look();
    else if (!this.isOff) this.connection.fire('online');
    this.board.stir();
  }

  /** Asks the leader for a sign of life. One that gives none is frozen, and this tab takes over. */
  private look(): void {
    this.tabs.post({ kind: 'hello' });
    if (this.isLooking) return;
    this.isLooking = true;
    this.lookIn(ANSWER_MS, () => this.tabs.stand(true));
  }

  private lookIn(ms: number, ring: () => void): void {
    this.platform.clearTimeout(this.timer);
    if (!this.tabs.isLeader && !this.closed) this.timer = this.platform.setTimeout(ring, ms);
  }

  /** What asks the server for something the app waits for cannot be put off until later. */
  private mustBeOn(): void {
    if (this.isOff) throw offline();
  }

  private get isOff(): boolean {
    return this.off.app || this.off.browser;
  }

  private turn(off: { app?: boolean; browser?: boolean }): void {
    Object.assign(this.off, off);
    if (this.isOff) this.connection.fire('offline');
    else this.connection.hurry();
    this.board.stir();
  }

  private wake(kind: 'wake' | 'flush'): void {
    if (this.tabs.isLeader) this.connection.queue.fire(kind);
    else {
      this.tabs.post({ kind });
      this.look();
    }
    this.board.stir();
  }

  private heard(message: Message): void {
    switch (message.kind) {
      case 'changed': return this.show(message.keys);
      case 'event':
        if (message.event === 'lost') this.reread();
        return this.events.emit(message.event, message.payload);
      case 'switch': return this.switch(message.offline);
      case 'token': return this.takeToken(message.token);
      case 'erased': return void this.close().then(() => this.erased());
      case 'status':
        return this.follow(message.status, message.switchedOff);
      case 'hello':
        if (this.tabs.isLeader) this.postStatus(this.standing());
        return;
      default:
        if (this.tabs.isLeader) this.serve(message.kind);
    }
  }

  /** What a follower asks of the leader. */
  private serve(kind: 'wake' | 'flush' | 'pull'): void {
    if (kind === 'pull') this.connection.puller.pull().catch(() => {});
    else this.connection.queue.fire(kind);
    this.board.stir();
  }

  /** The browser has deleted everything. What was unsent is gone; the rest is fetched again. */
  private lost(device: string): void {
    const { pending, poisoned } = this.status;
    void this.store.device(device);
    if (this.tabs.isLeader) this.connection.fire('gap');
    else this.tabs.post({ kind: 'pull' });
    this.tell('lost', { edits: pending + poisoned });
    this.reread();
  }

  private reread(): void {
    for (const view of this.views.values()) view.refresh();
    this.board.stir();
  }

  /** A frozen tab would keep the lead, and whatever transaction it is in the middle of: it comes again later. */
  private freeze(): void {
    this.store.freeze(new Promise(resolve => (this.thaw = resolve)));
    this.tabs.stepDown();
  }

  private erased(): void {
    this.events.emit('signedOut', { code: 'ERASED', message: 'Nothing is kept on this device.', erased: true });
  }

  private changed(keys: readonly Key[]): void {
    if (!keys.length) return;
    this.tabs.post({ kind: 'changed', keys });
    this.show(keys);
  }

  private tell<E extends keyof SyncEvents>(event: E, payload: SyncEvents[E]): void {
    this.events.emit(event, payload);
    this.tabs.post({ kind: 'event', event, payload: payload as never });
  }

  /** What changed in the store is shown here. */
  private show(keys: readonly Key[]): void {
    for (const [type, view] of this.views) {
      const ids = keys.filter(key => key[0] === type).map(key => key[1]);
      if (ids.length) view.refresh(ids);
    }
    this.board.stir();
  }

  /** The switch goes apart: whether the browser is offline each tab knows for itself, and hears when that is over. */
  private postStatus(status: Led): void {
    this.tabs.post({ kind: 'status', status, switchedOff: this.off.app });
  }

  /** The leader's state is this device's; and its switch stays as it is when this tab takes over. */
  private follow(led: Led, switchedOff: boolean): void {
    if (this.tabs.isLeader) return;
    this.leaders = led;
    this.isLooking = false;
    this.lookIn(LOOK_MS, () => this.look());
    this.off.app = switchedOff;
    this.board.stir();
  }

  private standing(): Led & { leader: boolean } {
    const { isLeader } = this.tabs;
    const mine = { connection: this.connection.state, queue: this.connection.queue.state };
    return { ...mine, ...(isLeader || this.closed ? {} : this.leaders), offline: this.isOff, leader: isLeader };
  }
}
