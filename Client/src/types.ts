import type { ConnectionState } from './pure/connectionTable.js';
import type { QueueState } from './pure/queueTable.js';
import type { Merging } from './store/steps.js';

/** A JSON document. Members the server or this package does not know are kept as they are. */
export type Doc = Record<string, unknown>;

/** The members that every stored document has besides the app's own. */
export interface Stored {
  id: string;
  /** When it was last changed, as ISO 8601; goals and repertoire written by other clients may have epoch milliseconds. */
  updatedAt?: string | number;
  /**
   * The server's version that this document is or is based on; 0 if there is none. An edit that passes it back tells the server what its
   * author saw.
   */
  version?: number;
}

export interface SyncOptions {
  /** The server's address: `https://sync.example.org`. */
  url: string;
  /** The server's former address. Data that this device stored under it, unsent edits included, goes on with `url`. */
  formerUrl?: string;
  /**
   * A token, or a function that fetches one. The function is called again shortly before the token expires, and with the refused token
   * after a refusal.
   */
  token: string | ((refused?: string) => string | Promise<string>);
  /** The user's id, the token's `sub`. It is needed to open offline while `token` is a function that needs the network. */
  user?: string;
  /** Separates stores of one user in one browser, for instance two panes of a demo. */
  name?: string;
  /** Names this installation to the server. If it is left out, a random name is made and kept. */
  device?: string;
  /** Opens as if `goOffline()` had been called. */
  offline?: boolean;
  /** The interval of polling while sockets are blocked. */
  pollSeconds?: number;
  /** Merges edits of different members of a document: `merging` of `@mirubato/sync/merging`. */
  merging?: Merging;
  /** The WebSocket class for Node 20, for instance from the package `ws`. Without one, changes are polled. */
  WebSocket?: WebSocketLike;
  /** Replaces parts of the platform, for instance in tests. */
  platform?: Partial<Platform>;
}

/** The impure parts of the client, so that tests and Node can replace them. */
export interface Platform {
  fetch: typeof fetch;
  WebSocket: WebSocketLike | undefined;
  locks: LocksLike | undefined;
  /** Compresses request bodies; without it they are sent uncompressed. */
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

// The part of the Web Locks API that is used, so that a Node project does not need the DOM's types.
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
  /** Edits that are not acknowledged yet. On an open device an edit is counted before its `put()` or `delete()` resolves. */
  pending: number;
  /** Edits that the server refuses; see `sync.queue()`, `sync.retry()`, `sync.discard()`. */
  poisoned: number;
  /** The last revision of the user's history up to which this device has everything. */
  revision: number;
  /** Whether this tab owns the socket and the queue. */
  leader: boolean;
  /** Whether the app, or the browser, has taken this device off the network. */
  offline: boolean;
  /** Whether the last write of this device did not fit into the browser's storage. */
  full: boolean;
  user: string;
  device: string;
}

/** An edit that is not acknowledged yet. */
export interface QueuedEdit {
  n: number;
  type: string;
  id: string;
  /** The document that was written; null for a deletion. */
  doc: Doc | null;
  at: string;
  state: 'pending' | 'poisoned';
  /** How often the edit has failed by its own error. Being offline does not count. */
  attempts: number;
  error?: EditError | undefined;
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
  /** JSON pointers of the members that lost; absent if the whole document did. */
  members?: string[];
  document: Doc;
  /** Stores the document, or the members that lost, again as the newest edit. */
  restore(): Promise<void>;
  /** Removes the conflict from the list. */
  discard(): Promise<void>;
}

/** A conflict at the moment the server reports it. */
export interface ConflictReport {
  type: string;
  id: string;
  reason: string;
  message: string;
  /** The document that this device wrote. */
  mine: Doc | null;
  /** The stored document; null if it is deleted. */
  theirs: Doc | null;
  /** JSON pointers of the members that lost, as `/notes`; undefined if the whole document did. */
  members?: string[] | undefined;
}

/** An edit that the server merged with others. */
export interface MergeReport {
  type: string;
  id: string;
  /** The document that this device wrote. */
  mine: Doc;
  /** The document that is stored now. */
  stored: Doc;
}

/** One message to or from the server, for logs and demos. Tokens are left out. */
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
  /** An edit of this device was merged with edits of others; only an app that passes `merging` gets it. */
  merged: MergeReport;
  poisoned: QueuedEdit;
  /**
   * The token is no longer accepted or belongs to another user (`OTHER_USER`), or the user signed out in any tab. Local data is kept unless
   * `erased`.
   */
  signedOut: { code: string; message: string; erased: boolean };
  /** The server refused this device or speaks another protocol version. */
  refused: { code: string; message: string };
  /** The browser's storage is full. A `put` rejects until there is space; what is queued is sent, and documents can be deleted online. */
  quota: { message: string };
  /** Unsent edits for another address of the server are on this device. Pass that address as `formerUrl` to send them. */
  leftBehind: { url: string; edits: number };
  /** The browser deleted this device's data, with this number of unsent edits. The rest is fetched again. */
  lost: { edits: number };
  /** The store differed from the server's at the same revision and was fetched again. */
  healed: { revision: number };
  frame: Frame;
}

export interface Collection<T extends object> {
  /**
   * Writes a whole document, at once and locally. An `id` is made if there is none. Edit the document that you were given,
   * `put({ ...entry, notes })`: its `version` tells the server what you saw, and an edit that you did not see is kept as a conflict.
   */
  put(doc: T & { id?: string }): Promise<T & Stored>;
  putAll(docs: readonly (T & { id?: string })[]): Promise<(T & Stored)[]>;
  get(id: string): Promise<(T & Stored) | undefined>;
  all(): Promise<(T & Stored)[]>;
  delete(what: string | Stored): Promise<void>;
  /** Calls the listener with all documents, now and after every change on any device. Returns a function that ends the subscription. */
  subscribe(listener: (docs: (T & Stored)[]) => void): () => void;
}

export interface Sync {
  readonly status: SyncStatus;
  collection<T extends object = Doc>(type: string): Collection<T>;
  on<E extends keyof SyncEvents>(event: E, listener: (payload: SyncEvents[E]) => void): () => void;
  /** The queued and the refused edits, oldest first. */
  queue(): Promise<QueuedEdit[]>;
  /** Sends a poisoned edit again, or all of them without an argument. */
  retry(n?: number): Promise<void>;
  /** Discards a poisoned edit; the server's copy is shown again. */
  discard(n: number): Promise<void>;
  /** Asks the server for this user's edits that lost, newest first. */
  conflicts(): Promise<Conflict[]>;
  /**
   * Resolves once every edit is acknowledged or poisoned. Rejects if the device is or goes offline, or if nothing is acknowledged for so
   * many seconds.
   */
  flush(seconds?: number): Promise<void>;
  /** Fetches what is new, as polling does. */
  pull(): Promise<void>;
  goOffline(): void;
  /** Goes online even if the browser reports no network. */
  goOnline(): void;
  /** Continues with a new token after `signedOut`. */
  setToken(token: SyncOptions['token']): void;
  /** Stops syncing in this tab; all data stays stored. */
  close(): Promise<void>;
  /** Deletes all data of the user on this device, unsent edits included, in all tabs. */
  signOut(): Promise<void>;
}
