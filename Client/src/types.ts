import type { ConnectionState } from './pure/connectionTable.js';
import type { QueueState } from './pure/queueTable.js';

/** A JSON document. Members the server or this package does not know are kept as they are. */
export type Doc = Record<string, unknown>;

/** What every stored document has beside the members the app gave it. */
export interface Stored {
  id: string;
  /** When it was last changed, as ISO 8601; goals and repertoire written by other clients may have epoch milliseconds. */
  updatedAt?: string | number;
  /** The server's version this is or was made from, 0 if there was none. Passed back with an edit it says what its author saw. */
  version?: number;
}

export interface SyncOptions {
  /** Where the server is: `https://sync.example.org`. */
  url: string;
  /** The address the server had before, or its first one: what this device holds of it, unsent edits too, goes on with `url`. */
  formerUrl?: string;
  /**
   * A token, or what fetches one. A function is asked again shortly before the token expires, and, with the token that was refused,
   * whenever that happens.
   */
  token: string | ((refused?: string) => string | Promise<string>);
  /** The user's id, the token's `sub`. Give it if the app should open offline while `token` is a function that needs the network. */
  user?: string;
  /** Separates stores of one user in one browser, as two panes of a demo need. */
  name?: string;
  /** Names this installation to the server. A random one is made and kept if it is left out. */
  device?: string;
  /** Opens as if `goOffline()` had been called. */
  offline?: boolean;
  /** How often to ask for changes while sockets are blocked. */
  pollSeconds?: number;
  /** For Node 20, which has none of its own: that of the package `ws`. Without any, changes are polled for. */
  WebSocket?: WebSocketLike;
  /** What the world provides, where it should not be the browser's, as in tests. */
  platform?: Partial<Platform>;
}

/** Everything that is not pure, so that tests and Node can bring their own. */
export interface Platform {
  fetch: typeof fetch;
  WebSocket: WebSocketLike | undefined;
  locks: LocksLike | undefined;
  /** Packs what is sent; without it, it goes as it is. */
  CompressionStream: (new (format: 'gzip') => ReadableWritablePair<any, any>) | undefined;
  BroadcastChannel: (new (name: string) => ChannelLike) | undefined;
  now(): number;
  random(): number;
  randomId(): string;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

// Looser than the DOM's types, so that the package `ws` fits without a cast.
export type WebSocketLike = new (url: string, protocols?: string | string[]) => any;

// As much of the Web Locks as is needed, so that a Node project's types do without the DOM's.
export interface LocksLike {
  request(name: string, options: { signal?: AbortSignal; steal?: boolean }, held: () => Promise<void>): Promise<unknown>;
}

export interface ChannelLike {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  close(): void;
}

export interface SyncStatus {
  connection: ConnectionState;
  queue: QueueState;
  /** Edits that wait to be acknowledged. */
  pending: number;
  /** Edits the server does not take; see `sync.queue()`, `sync.retry()`, `sync.discard()`. */
  poisoned: number;
  /** The last revision of the user's history that this device has everything up to. */
  revision: number;
  /** Whether this tab owns the socket and the queue. */
  leader: boolean;
  /** Whether the app, or the browser, has taken this device off the network. */
  offline: boolean;
  user: string;
  device: string;
}

/** An edit that is not acknowledged yet. */
export interface QueuedEdit {
  n: number;
  type: string;
  id: string;
  /** What was written; null is a deletion. */
  doc: Doc | null;
  at: string;
  state: 'pending' | 'poisoned';
  /** How often it has failed by an error of its own. Being offline is none. */
  attempts: number;
  error?: EditError;
}

export interface EditError {
  code: string;
  message: string;
}

/** An edit that lost against a later one. The server keeps it for 30 days. */
export interface Conflict {
  id: string;
  type: string;
  entityId: string;
  reason: 'stale' | 'deleted' | 'replaced' | (string & {});
  createdAt: string;
  deviceId?: string;
  document: Doc;
  /** Makes it the newest edit. */
  restore(): Promise<void>;
  /** Takes it out of the list. */
  discard(): Promise<void>;
}

/** A conflict at the moment the server reports it. */
export interface ConflictReport {
  type: string;
  id: string;
  reason: string;
  message: string;
  /** What this device had written. */
  mine: Doc | null;
  /** What is stored instead; null if it is deleted. */
  theirs: Doc | null;
}

/** One message that crossed the wire, for logs and demos. Tokens are left out. */
export interface Frame {
  at: number;
  direction: 'in' | 'out';
  via: 'socket' | 'http';
  /** The frame's type, or method, path and status. */
  label: string;
  data?: unknown;
}

export interface SyncEvents {
  status: SyncStatus;
  conflict: ConflictReport;
  poisoned: QueuedEdit;
  /**
   * The token does not count any more, or is another user's (`OTHER_USER`), or the user signed out here or in another tab. Local data is
   * kept unless `erased`.
   */
  signedOut: { code: string; message: string; erased: boolean };
  /** The server turned this device away, or speaks another protocol version. */
  refused: { code: string; message: string };
  /** The browser's storage is full: the write that failed was not made. */
  quota: { message: string };
  /** Edits that were never sent to another address of the server are still on this device: open it with that one as `formerUrl`. */
  leftBehind: { url: string; edits: number };
  /** The browser has deleted what this device held, with so many edits that were not sent. The rest is fetched again. */
  lost: { edits: number };
  /** The store differed from the server's at the same revision and was fetched anew. */
  healed: { revision: number };
  frame: Frame;
}

export interface Collection<T extends object> {
  /**
   * Writes a whole document, at once and locally; an `id` is made if there is none. Edit what you were given, `put({ ...entry, notes })`:
   * its `version`
   * tells the server what you saw, and an edit you did not see is then kept as a conflict instead of lost.
   */
  put(doc: T & { id?: string }): Promise<T & Stored>;
  putAll(docs: readonly (T & { id?: string })[]): Promise<(T & Stored)[]>;
  get(id: string): Promise<(T & Stored) | undefined>;
  all(): Promise<(T & Stored)[]>;
  delete(what: string | Stored): Promise<void>;
  /** Calls with all documents, now and after every change, whoever made it. Returns what ends it. */
  subscribe(listener: (docs: (T & Stored)[]) => void): () => void;
}

export interface Sync {
  readonly status: SyncStatus;
  collection<T extends object = Doc>(type: string): Collection<T>;
  on<E extends keyof SyncEvents>(event: E, listener: (payload: SyncEvents[E]) => void): () => void;
  /** What waits or was refused, oldest first. */
  queue(): Promise<QueuedEdit[]>;
  /** Sends a poisoned edit again; all of them if none is named. */
  retry(n?: number): Promise<void>;
  /** Gives a poisoned edit up: the server's copy is shown again. */
  discard(n: number): Promise<void>;
  /** The edits of this user that lost, newest first; asks the server. */
  conflicts(): Promise<Conflict[]>;
  /**
   * Resolves once nothing waits any more: everything is acknowledged, or poisoned. Rejects if the device is or goes offline, or nothing is
   * acknowledged for so long.
   */
  flush(seconds?: number): Promise<void>;
  /** Asks for what is new, as polling does. */
  pull(): Promise<void>;
  goOffline(): void;
  /** Also where the browser takes this device for cut off. */
  goOnline(): void;
  /** Goes on with a fresh token after `signedOut`. */
  setToken(token: SyncOptions['token']): void;
  /** Ends work in this tab; everything stays stored. */
  close(): Promise<void>;
  /** Deletes everything this device holds of the user, unsent edits too, in all tabs. */
  signOut(): Promise<void>;
}
