import type { Edit, EntityKey } from './store/steps.js';
import { isBrowserOffline, watchNetwork } from './network.js';
import { collection, View, type CollectionHost } from './collection.js';
import { Http } from './net/http.js';
import { fullDevice } from './store/database.js';
import { offline } from './net/failure.js';
import type { Store } from './store/store.js';
import type { Context } from './deviceContext.js';
import { listConflicts } from './conflicts.js';
import { Tabs } from './tabs.js';
import type { Collection, Conflict, Doc, Platform, QueuedEdit, Sync, SyncEvents, SyncOptions, SyncStatus } from './types.js';
import { Credentials } from './net/credentials.js';
import { StatusCache, type LeaderState } from './statusCache.js';
import { Connection } from './connection.js';
import { Emitter } from './events.js';

// A follower asks its leader for a sign of life at this interval, and takes the lead if no answer comes in time.
const LEADER_CHECK_MS = 10_000;
const LEADER_ANSWER_MS = 5_000;
// signOut() waits this long for other tabs to close the database.
const ERASE_WAIT_MS = 5_000;

/** A message between the tabs of one device. */
type Message =
  | { kind: 'changed'; keys: readonly EntityKey[] }
  | { kind: 'status'; status: LeaderState; switchedOff: boolean }
  | { kind: 'event'; event: keyof SyncEvents; payload: never }
  | { kind: 'hello' | 'wake' | 'flush' | 'pull' | 'erased' }
  | { kind: 'switch'; offline: boolean }
  | { kind: 'token'; token: string };

export interface DeviceParts {
  name: string;
  user: string;
  device: string;
  store: Store;
  credentials: Credentials;
  platform: Platform;
}

/** One device of one user, as one tab sees it. */
export class Device implements Sync, CollectionHost {
  readonly store: Store;
  readonly user: string;
  readonly platform: Platform;
  readonly #credentials: Credentials;
  readonly http: Http;
  readonly events = new Emitter<SyncEvents>();
  readonly connection: Connection;
  private readonly tabs: Tabs<Message>;
  readonly #views = new Map<string, View>();
  readonly #stopWatching: () => void;
  readonly #cache: StatusCache;
  /** The device is offline if the app's switch or the browser says so. */
  readonly #offlineBy: { app: boolean; browser: boolean };
  #closed = false;
  #thaw: () => void = () => {};
  #timer: unknown;
  /** True while a follower waits for its leader's answer. */
  #isChecking = false;
  #leaderState: LeaderState | undefined;

  constructor(parts: DeviceParts, options: SyncOptions) {
    ({ store: this.store, user: this.user, platform: this.platform, credentials: this.#credentials } = parts);
    this.#offlineBy = { app: options.offline ?? false, browser: isBrowserOffline() };
    const log: Context['log'] = frame => this.events.emit('frame', { ...frame, at: this.platform.now() });
    this.http = new Http(
      options.url, parts.device, this.#credentials, this.platform, frame => log({ ...frame, via: 'http' }),
      () => this.#isOff || this.#closed);
    this.connection = new Connection({
      ...parts, url: options.url, pollMs: (options.pollSeconds ?? 5) * 1000, log, http: this.http,
      changed: keys => this.#changed(keys), invalidate: () => this.#cache?.invalidate(),
      broadcast: (event, payload) => this.#broadcast(event, payload),
    });
    this.tabs = new Tabs<Message>(parts.name, this.platform, () => this.#onLeadership(), message => this.#onMessage(message));
    const { user, device } = parts;
    this.#cache = new StatusCache(this.store, { user, device }, () => this.#currentState(), (status, before) => {
      if (status.leader) this.#postStatus(status);
      if (status.full && !before.full) this.events.emit('quota', fullDevice());
      this.events.emit('status', status);
    });
    this.store.onClosed = isLost => (isLost ? this.#onDataLost(device) : this.#cache.invalidate());
    this.#checkLeader();
    this.#stopWatching = watchNetwork(
      isOnline => this.#setOff({ browser: !isOnline }), () => this.connection.state === 'waiting' && this.#setOff({ browser: false }),
      () => this.#freeze(), () => this.#thaw());
  }

  get status(): SyncStatus {
    return this.#cache.status;
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
    const view = this.#views.get(type) ?? new View(this.store, type);
    this.#views.set(type, view);
    return view;
  }

  /** Resolves when the status counts the edits, so that an app may ask `status.pending` before it lets its user leave. */
  async write(edits: readonly Edit[]): Promise<Doc[]> {
    let written: Doc[];
    try {
      written = await this.store.write(edits, this.platform.now());
    } catch (error) {
      this.#cache.invalidate();
      if (!this.store.isFull || edits.some(edit => edit.doc)) throw error;
      // Nothing can be queued, so a deletion goes to the server first.
      await this.connection.queue.sendUnqueued(edits).catch(() => {
        throw error;
      });
      return [];
    }
    this.#changed(edits.map(edit => [edit.type, edit.id]));
    this.#wakeQueue('wake');
    await this.#cache.refresh();
    return written;
  }

  queue(): Promise<QueuedEdit[]> {
    return this.store.queue();
  }

  async retry(n?: number): Promise<void> {
    await this.store.retry(n);
    this.#wakeQueue('flush');
    await this.#cache.refresh();
  }

  async discard(n: number): Promise<void> {
    this.#changed(await this.store.discard(n));
    await this.#cache.refresh();
  }

  async conflicts(): Promise<Conflict[]> {
    this.#requireOnline();
    return listConflicts(this.http, () => this.pull());
  }

  async flush(seconds = 60): Promise<void> {
    const { platform } = this;
    this.#wakeQueue('flush');
    for (let before = Infinity, since = 0; ; ) {
      await this.#cache.refresh();
      const { pending, connection } = this.status;
      if (pending === 0) return;
      if (this.#closed || ['offline', 'signedOut', 'refused'].includes(connection)) throw offline();
      if (pending < before) since = platform.now();
      before = pending;
      const leftMs = since + seconds * 1000 - platform.now();
      if (leftMs <= 0) throw this.connection.queue.failure ?? offline('The server is silent.');
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
    this.#requireOnline();
    if (this.tabs.isLeader) await this.connection.puller.pull();
    else this.tabs.post({ kind: 'pull' });
  }

  goOffline(): void {
    this.tabs.post({ kind: 'switch', offline: true });
    this.#setSwitch(true);
  }

  goOnline(): void {
    this.tabs.post({ kind: 'switch', offline: false });
    this.#setSwitch(false);
  }

  /** goOnline() overrules the browser: some browsers report a machine as offline whose network they do not know. */
  #setSwitch(isOff: boolean): void {
    this.#setOff(isOff ? { app: true } : { app: false, browser: false });
  }

  setToken(token: SyncOptions['token']): void {
    if (typeof token === 'string') this.tabs.post({ kind: 'token', token });
    this.#replaceToken(token);
  }

  #replaceToken(token: SyncOptions['token']): void {
    this.#credentials.replace(token);
    this.connection.fire('token');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#stop();
    await this.#cache.refresh();
    this.store.close();
  }

  #stop(): void {
    this.#closed = true;
    this.platform.clearTimeout(this.#timer);
    this.#stopWatching();
    this.connection.fire('close');
    this.tabs.close();
  }

  /** Erases the tables first, because a frozen tab delays the deletion of the database until it ends. */
  async signOut(): Promise<void> {
    const { platform } = this;
    this.tabs.post({ kind: 'erased' });
    this.#stop();
    let timer: unknown;
    await Promise.race([this.store.erase(), new Promise<void>(resolve => (timer = platform.setTimeout(resolve, ERASE_WAIT_MS)))]);
    platform.clearTimeout(timer);
    this.#cache.invalidate();
    this.#emitErased();
  }

  #onLeadership(): void {
    const { isLeader } = this.tabs;
    this.platform.clearTimeout(this.#timer);
    if (isLeader && this.tabs.locks) this.store.lead(this.makeId());
    this.connection.fire(isLeader ? 'lead' : 'follow');
    if (!isLeader) this.#checkLeader();
    else if (!this.#isOff) this.connection.fire('online');
    this.#cache.invalidate();
  }

  /** Asks the leader for a sign of life. A leader that does not answer is frozen, and this tab takes the lead. */
  #checkLeader(): void {
    this.tabs.post({ kind: 'hello' });
    if (this.#isChecking) return;
    this.#isChecking = true;
    this.#setLeaderTimer(LEADER_ANSWER_MS, () => this.tabs.requestLead(true));
  }

  #setLeaderTimer(ms: number, ring: () => void): void {
    this.platform.clearTimeout(this.#timer);
    if (!this.tabs.isLeader && !this.#closed) this.#timer = this.platform.setTimeout(ring, ms);
  }

  /** Throws while the device is offline: the app waits for this request, so it cannot be deferred. */
  #requireOnline(): void {
    if (this.#isOff) throw offline();
  }

  get #isOff(): boolean {
    return this.#offlineBy.app || this.#offlineBy.browser;
  }

  #setOff(off: { app?: boolean; browser?: boolean }): void {
    Object.assign(this.#offlineBy, off);
    if (this.#isOff) this.connection.fire('offline');
    else this.connection.retryNow();
    this.#cache.invalidate();
  }

  #wakeQueue(kind: 'wake' | 'flush'): void {
    if (this.tabs.isLeader) this.connection.queue.fire(kind);
    else {
      this.tabs.post({ kind });
      this.#checkLeader();
    }
    this.#cache.invalidate();
  }

  #onMessage(message: Message): void {
    switch (message.kind) {
      case 'changed': return this.#refreshViews(message.keys);
      case 'event':
        if (message.event === 'lost') this.#refreshAll();
        return this.events.emit(message.event, message.payload);
      case 'switch': return this.#setSwitch(message.offline);
      case 'token': return this.#replaceToken(message.token);
      case 'erased': return void this.close().then(() => this.#emitErased());
      case 'status':
        return this.#followLeader(message.status, message.switchedOff);
      case 'hello':
        if (this.tabs.isLeader) this.#postStatus(this.#currentState());
        return;
      default:
        if (this.tabs.isLeader) this.#serveFollower(message.kind);
    }
  }

  /** Does on the leader what a follower asked for. */
  #serveFollower(kind: 'wake' | 'flush' | 'pull'): void {
    if (kind === 'pull') this.connection.puller.pull().catch(() => {});
    else this.connection.queue.fire(kind);
    this.#cache.invalidate();
  }

  /** The browser deleted the database. Unsent edits are lost; everything else is fetched again. */
  #onDataLost(device: string): void {
    const { pending, poisoned } = this.status;
    void this.store.device(device);
    if (this.tabs.isLeader) this.connection.fire('gap');
    else this.tabs.post({ kind: 'pull' });
    this.#broadcast('lost', { edits: pending + poisoned });
    this.#refreshAll();
  }

  #refreshAll(): void {
    for (const view of this.#views.values()) view.refresh();
    this.#cache.invalidate();
  }

  /** Releases the lead and aborts the running transaction, because a frozen tab would block both. The transaction runs again later. */
  #freeze(): void {
    this.store.freeze(new Promise(resolve => (this.#thaw = resolve)));
    this.tabs.stepDown();
  }

  #emitErased(): void {
    this.events.emit('signedOut', { code: 'ERASED', message: 'The data is deleted.', erased: true });
  }

  #changed(keys: readonly EntityKey[]): void {
    if (!keys.length) return;
    this.tabs.post({ kind: 'changed', keys });
    this.#refreshViews(keys);
  }

  #broadcast<E extends keyof SyncEvents>(event: E, payload: SyncEvents[E]): void {
    this.events.emit(event, payload);
    this.tabs.post({ kind: 'event', event, payload: payload as never });
  }

  /** Refreshes the views of this tab after documents changed in the store. */
  #refreshViews(keys: readonly EntityKey[]): void {
    for (const [type, view] of this.#views) {
      const ids = keys.filter(key => key[0] === type).map(key => key[1]);
      if (ids.length) view.refresh(ids);
    }
    this.#cache.invalidate();
  }

  /** Sends the app's switch separately: each tab observes the browser's network state for itself. */
  #postStatus(status: LeaderState): void {
    this.tabs.post({ kind: 'status', status, switchedOff: this.#offlineBy.app });
  }

  /** Shows the leader's state as this device's, and keeps its switch for the moment this tab takes over. */
  #followLeader(leaderState: LeaderState, switchedOff: boolean): void {
    if (this.tabs.isLeader) return;
    this.#leaderState = leaderState;
    this.#isChecking = false;
    this.#setLeaderTimer(LEADER_CHECK_MS, () => this.#checkLeader());
    this.#offlineBy.app = switchedOff;
    this.#cache.invalidate();
  }

  #currentState(): LeaderState & { leader: boolean } {
    const { isLeader } = this.tabs;
    const leaderState = isLeader || this.#closed ? undefined : this.#leaderState;
    return {
      connection: this.connection.state, queue: this.connection.queue.state, ...leaderState, offline: this.#isOff, leader: isLeader,
      full: this.store.isFull || leaderState?.full === true,
    };
  }
}
