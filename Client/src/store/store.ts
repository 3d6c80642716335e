import { utf8Length, isParkedDue, selectBatch } from '../pure/batch.js';
import { localPart, withoutBase, withoutItem, visibleDocument } from '../pure/merge.js';
import { abort, completion, fullDevice, isQuota, toPromise } from './database.js';
import { Digest } from '../pure/digest.js';
import {
  batchBody, readCursor, toEntity, countFailure, toQueuedEdit, saveCursor, park, requeue, queueEdit, withoutBatch, removeItem,
  settleItem, applyRevisions, unstage, clearBaseVersions, type Edit, type EntityKey, type Merging, type Report, type SettledBatch,
} from './steps.js';
import { deletionsOnly, openDatabase, TABLES, tablesFrom, type Batch, type Cursor, type Tables } from './schema.js';
import { outcomesFrom, pullRevisions, type BatchAnswer, type Revision } from '../pure/wire.js';
import type { Doc, EditError, QueuedEdit } from '../types.js';
import { UnitOfWork } from './unitOfWork.js';

const QUEUE_WINDOW = 3_000;
// A key of `meta`. A full device can only delete it, so its absence carries the message.
const CLEAN = 'clean';
const FROM_SCRATCH: Partial<Cursor> = { token: null, lastSeq: 0, etag: undefined };

// The errors of requests after the browser has closed the connection.
const CLOSED_ERRORS = /^(InvalidState|Abort|Unknown)Error$/;

/** The local database of one user. Each method is one transaction. A connection that the browser closes is opened again. */
export class Store {
  private database: Promise<IDBDatabase> | undefined;
  #isClosed = false;
  #wasOpen = false;
  #term: string | undefined;
  #frozen: Promise<void> | undefined;
  readonly #running = new Set<IDBTransaction>();
  /** True while the last write that needs space did not fit. */
  isFull = false;
  /** Called when the browser has closed the connection, with true if it also deleted the database. */
  onClosed: (isLost: boolean) => void = () => {};

  private constructor(readonly name: string, private readonly onReplaced: () => void, readonly merging?: Merging) {}

  static async open(name: string, onReplaced: () => void, merging?: Merging): Promise<Store> {
    const store = new Store(name, onReplaced, merging);
    await store.#withDatabase(async () => {});
    return store;
  }

  /** Aborts running transactions, because a frozen tab would block other tabs; they run again once `frozen` resolves. */
  freeze(frozen: Promise<void>): void {
    this.#frozen = frozen;
    this.#running.forEach(abort);
  }

  close(): void {
    this.#isClosed = true;
    this.#disconnect();
  }

  #disconnect(): void {
    this.database?.then(database => database.close(), () => {});
    this.database = undefined;
  }

  async erase(): Promise<void> {
    await this.#transact(tables => Promise.all(Object.values(tables).map(table => table.clear()))).catch(() => {});
    this.close();
    await toPromise(indexedDB.deleteDatabase(this.name));
  }

  #connect(): Promise<IDBDatabase> {
    const isReopened = this.#wasOpen;
    this.#wasOpen = true;
    return openDatabase(this.name, {
      onReplaced: this.onReplaced,
      onCreated: () => isReopened && this.onClosed(true),
      onClosed: () => {
        this.database = undefined;
        this.onClosed(false);
      },
    });
  }

  async #withDatabase<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
    for (let isLast = false; ; isLast = true) {
      await this.#frozen;
      if (this.#isClosed) throw new DOMException('', 'InvalidStateError');
      const connection = (this.database ??= this.#connect());
      try {
        return await work(await connection);
      } catch (error) {
        if (isQuota(error)) {
          this.isFull = true;
          this.requireSpace();
        }
        if (!CLOSED_ERRORS.test((error as Error)?.name)) throw error;
        if (this.database === connection) this.#disconnect();
        if (isLast) throw error;
      }
    }
  }

  /** Throws if the last write did not fit. */
  requireSpace(): void {
    if (this.isFull) throw fullDevice();
  }

  async get(type: string, id: string): Promise<Doc | null> {
    return visibleDocument(await this.#read('rows', rows => rows.get([type, id])));
  }

  async all(type: string): Promise<[id: string, doc: Doc][]> {
    const rows = await this.#read('rows', rows => rows.getAll(IDBKeyRange.bound([type], [type, []])));
    return rows.map(row => [row.id, visibleDocument(row)] as [string, Doc]).filter(([, doc]) => doc);
  }

  /** Reads several documents; null for a missing one. */
  getMany(type: string, ids: readonly string[]): Promise<[id: string, doc: Doc | null][]> {
    return this.#read(
      'rows', rows => Promise.all(ids.map(async id => [id, visibleDocument(await rows.get([type, id]))] as [string, Doc | null])));
  }

  /** Reads or stores the device id in one transaction, so that two tabs that open first at once share one id. */
  device(made: string): Promise<string> {
    return this.#transact(async tables => {
      const known = (await tables.meta.get('device')) as string | undefined;
      if (!known) await tables.meta.put(made, 'device');
      return known ?? made;
    });
  }

  async counts(): Promise<{ pending: number; poisoned: number }> {
    const [all, pending] = await this.#read('queue', queue => Promise.all([queue.count(), queue.index('live').count(1)]));
    return { pending, poisoned: all - pending };
  }

  /** `isClean` is false if rows may show edits that are not queued any more, because the device was too full to take them off. */
  cursor(): Promise<Cursor & { isClean: unknown }> {
    return this.#read('meta', async meta => ({ ...(await readCursor({ meta })), isClean: await meta.get(CLEAN) }));
  }

  async queue(): Promise<QueuedEdit[]> {
    return (await this.#read('queue', queue => queue.getAll())).map(toQueuedEdit);
  }

  /** Writes edits locally and queues them. */
  write(edits: readonly Edit[], now: number): Promise<Doc[]> {
    return this.#transact(async tables => {
      const unit = await new UnitOfWork(tables).read(edits, true);
      const written = this.#queueEdits(unit, edits, now).filter(doc => doc !== null);
      unit.save();
      return written;
    });
  }

  #queueEdits(unit: UnitOfWork, edits: readonly Edit[], now: number): (Doc | null)[] {
    return edits.map(edit => queueEdit(unit, this.merging?.place(unit, edit) ?? edit, now));
  }

  /** Returns a batch of edits that the device is too full to queue. */
  stageUnqueued(edits: readonly Edit[], key: string, now: number): Promise<Batch> {
    return this.#transact(async tables => {
      const unit = await new UnitOfWork(tables).read(edits, true);
      this.#queueEdits(unit, edits, now);
      const sent = edits.map(edit => unit.queueFor(edit).at(-1)!);
      return { key, body: batchBody(sent, (await readCursor(tables)).proof), items: sent.map(({ n = 0 }) => n), sent };
    }, TABLES, 'readonly');
  }

  /**
   * Applies revisions and stores the cursor in the same transaction. On a full device only deletions are applied. Does nothing if they
   * follow the token `since` and there is none: the browser has deleted the database meanwhile, and what came before is not in this one.
   */
  receive(revisions: readonly Revision[], cursor: Partial<Cursor>, since?: string | null): Promise<EntityKey[]> {
    return this.#transactEvenIfFull(async tables => {
      if (since && !(await readCursor(tables)).token) return [];
      const unit = new UnitOfWork(tables);
      await unit.read(revisions);
      const keys = applyRevisions(unit, revisions);
      unit.save();
      await saveCursor(tables, cursor);
      return keys;
    });
  }

  /** As `receive`, but deletes everything that is not in the revisions. Unsent edits stay. */
  replace(revisions: readonly Revision[], cursor: Cursor): Promise<EntityKey[]> {
    return this.#transactAsLeader(async tables => {
      const rows = tables.rows;
      const before = await rows.getAll();
      await rows.clear();
      const unit = new UnitOfWork(tables);
      for (const row of before) {
        const left = localPart(row, null);
        if (left.mine !== undefined || left.removed) unit.put(left.mine ? { ...left, mine: withoutBase(left.mine) } : left);
      }
      await clearBaseVersions(tables);
      const keys = applyRevisions(unit, revisions);
      unit.save();
      await tables.meta.put(cursor, 'cursor');
      return [...before.map(row => [row.type, row.id] as const), ...keys];
    });
  }

  /** Resets the cursor, so that the next pull replaces everything. */
  restart(): Promise<void> {
    return this.#transactAsLeader(tables => saveCursor(tables, FROM_SCRATCH));
  }

  /** The digest of the server's copies. Edits that a full device left on them although they are not queued any more are taken off. */
  async verify(): Promise<{ digest: string; keys: EntityKey[] }> {
    const digest = new Digest();
    const keys: EntityKey[] = [];
    const all = await this.#transactAsLeader(async ({ rows, queue, meta }) => {
      const all = await rows.getAll();
      for (const row of all) {
        const key: [string, string] = [row.type, row.id];
        if (row.mine === undefined || (await queue.index('entity').count(key))) continue;
        keys.push(key);
        await rows.put(withoutItem(row, []));
      }
      await meta.put(1, CLEAN);
      return all;
    });
    for (const { type, id, version, doc } of all) if (doc && version) digest.add(type, id, version);
    return { digest: digest.toString(), keys };
  }

  /**
   * Returns the batch to send: the unanswered one, or a new one under the given key. Without one, `nextAt` is when an edit may be sent;
   * Infinity if none waits.
   */
  stage(key: string, now: number, bytesMax: number): Promise<{ batch?: Batch; nextAt?: number }> {
    return this.#transactEvenIfFull(async (tables, failure) => {
      const [staged] = await tables.batches.getAll(null, 1);
      if (staged) return { batch: staged };
      const queue = tables.queue;
      const aside = await queue.index('live').getAll(2, QUEUE_WINDOW);
      await Promise.all(aside.map(async item => isParkedDue(item, now) && queue.put({ ...item, live: 1, notBefore: 0 })));
      const waiting = await queue.index('live').getAll(1, QUEUE_WINDOW);
      const { items, nextAt = Math.min(...aside.map(item => item.notBefore)) } = selectBatch(
        waiting, now, item => utf8Length(JSON.stringify(toEntity(item))), bytesMax);
      if (failure && !items.length) throw failure;
      if (!items.length) return { nextAt };
      await Promise.all(items.map(async item => queue.put({ ...item, batch: key })));
      const { proof } = await readCursor(tables);
      const batch = { key, proof, body: batchBody(items, proof), items: items.map(item => item.n) };
      await tables.batches.put(batch);
      // A full device forgets the key. If the answer is lost, the server finds the items unchanged.
      return { batch: { ...batch, sent: items } };
    });
  }

  /** Applies the answer to a batch; only then do its items leave the queue. A batch that another tab has settled is skipped. */
  settle(batch: Batch, answer: BatchAnswer, now: number): Promise<SettledBatch> {
    return this.#transactEvenIfFull(async (tables, failure) => {
      const settled: SettledBatch = { keys: [], events: [], isIncomplete: !!failure };
      const items = await unstage(tables, batch);
      if (failure) await tables.meta.delete(CLEAN);
      if (!items.length) return settled;
      const { lastSeq, proof } = await readCursor(tables);
      // A replayed answer may be old: changes before the cursor are stored already.
      const changes = answer.changes && answer.lastSeq > lastSeq ? pullRevisions(answer.changes) : [];
      const unit = await new UnitOfWork(tables).read(items, true);
      await unit.read(changes);
      const outcomes = outcomesFrom(answer);
      items.forEach((item, i) => item && settleItem(unit, item, outcomes[i]!, now, answer.lastSeq, lastSeq, settled, this.merging));
      settled.keys.push(...applyRevisions(unit, changes));
      unit.save();
      // Only if no pull has brought a token since the batch was made: that of the answer may be of the history before.
      await saveCursor(tables, {
        proof: (batch.proof !== proof && proof) || answer.newSyncToken, ...(settled.isIncomplete && FROM_SCRATCH) });
      return settled;
    });
  }

  /**
   * Releases the items of a batch into smaller ones with new keys. If the server executed the batch after all, it will find the items
   * unchanged.
   */
  release(batch: Batch): Promise<void> {
    return this.#transactEvenIfFull(async tables => {
      await Promise.all((await unstage(tables, batch)).map(async item => item && tables.queue.put(withoutBatch(item))));
    });
  }

  /** Counts a failure for each item of a refused batch. The items go on in smaller batches, or are parked if `final`. */
  failBatch(batch: Batch, error: EditError, now: number, random: number, final?: boolean): Promise<Report[]> {
    return this.#transactAsLeader(async tables => {
      const events: Report[] = [];
      const items = await unstage(tables, batch);
      const unit = await new UnitOfWork(tables).read(items, true);
      for (const item of items) if (item) requeue(unit, final ? park(item, error, now) : countFailure(item, error, now, random), events);
      unit.save();
      return events;
    });
  }

  retry(n: number | undefined): Promise<void> {
    return this.#transact(async tables => {
      const queue = tables.queue;
      for (const item of await queue.getAll(n)) {
        if (item.live !== 1) await queue.put({ ...item, live: 1, attempts: 0, notBefore: 0 });
      }
    });
  }

  discard(n: number): Promise<EntityKey[]> {
    return this.#transact(async tables => {
      const item = await tables.queue.get(n);
      if (!item || item.live === 1) return [];
      const unit = await new UnitOfWork(tables).read([item], true);
      removeItem(unit, item);
      unit.save();
      return [[item.type, item.id]];
    });
  }

  /** Starts a term of leadership: writes of an earlier leader that is revived are rejected. */
  lead(term: string): void {
    this.#term = term;
    this.#transact(({ meta }) => meta.put(term, 'term')).catch(() => (this.#term = undefined));
  }

  #transactAsLeader<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.#transact(async tables => {
      const term = await tables.meta.get('term');
      if (this.#term && term && term !== this.#term) throw new Error('Not the leader.');
      return work(tables);
    });
  }

  /** On a full device the work runs again, and stores only what it deletes: browsers have room for that. `failure` is set then. */
  async #transactEvenIfFull<T>(work: (tables: Tables, failure?: Error) => Promise<T>): Promise<T> {
    try {
      return await this.#transactAsLeader(work);
    } catch (error) {
      if (!isQuota(error)) throw error;
      return this.#transactAsLeader(tables => work(deletionsOnly(tables), error as Error));
    }
  }

  #read<N extends keyof Tables, T>(name: N, work: (table: Tables[N]) => Promise<T>): Promise<T> {
    return this.#transact(tables => work(tables[name]), [name], 'readonly');
  }

  #transact<T>(
    work: (tables: Tables) => Promise<T>, names: readonly string[] = TABLES, mode: IDBTransactionMode = 'readwrite'): Promise<T> {
    return this.#withDatabase(async database => {
      const transaction = database.transaction(names, mode);
      const ended = completion(transaction);
      let needsSpace = false;
      this.#running.add(transaction);
      try {
        const result = await work(tablesFrom(transaction, names, () => (needsSpace = true)));
        await ended;
        if (needsSpace) this.isFull = false;
        return result;
      } catch (error) {
        ended.catch(() => {});
        // It may have aborted by itself, for instance on a full disk.
        abort(transaction);
        throw transaction.error ?? error;
      } finally {
        this.#running.delete(transaction);
      }
    });
  }
}
