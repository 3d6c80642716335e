import { bytesOf, isDueAgain, select } from '../pure/batch.js';
import { Digest } from '../pure/digest.js';
import { kept, unbased, visible } from '../pure/merge.js';
import { outcomesOf, revisionsOf, type BatchAnswer, type Revision } from '../pure/wire.js';
import type { Doc, EditError, QueuedEdit } from '../types.js';
import { done, promised } from './database.js';
import { Draft } from './draft.js';
import { openDatabase, TABLES, tablesOf, type Batch, type Cursor, type Tables } from './schema.js';
import {
  bodyOf, cursorOf, entityOf, failedOnce, itemsOf, listed, move, parked, putBack, queueEdit, released, remove, settleItem, take, unstage, unbaseQueue, type Edit, type Key, type Settled,
} from './steps.js';

const LOOK_AHEAD = 3_000;
const startingOver: Partial<Cursor> = { token: null, lastSeq: 0, etag: undefined };

// What requests fail with once the browser has closed the connection: before it said so, while they ran, and on iOS.
const CLOSED = /^(InvalidState|Abort|Unknown)Error$/;

/** Everything a device knows of one user. Each method is one transaction: it happens as a whole or not at all. A connection that the browser closes is opened again. */
export class Store {
  private database: Promise<IDBDatabase> | undefined;
  private isClosed = false;
  private wasOpen = false;
  private term: string | undefined;
  private frozen: Promise<void> | undefined;
  private readonly running = new Set<IDBTransaction>();
  /** Called when the browser has closed the connection; and with true if it has deleted everything, too. */
  onClosed: (isLost: boolean) => void = () => {};

  private constructor(private readonly name: string, private readonly gone: () => void) {}

  static async open(name: string, gone: () => void): Promise<Store> {
    const store = new Store(name, gone);
    await store.connected(async () => {});
    return store;
  }

  /** A frozen tab must not hold a transaction that others wait for: what is under way is undone, and done anew once `frozen` ends. */
  freeze(frozen: Promise<void>): void {
    this.frozen = frozen;
    for (const transaction of this.running) transaction.abort();
  }

  close(): void {
    this.isClosed = true;
    this.disconnect();
  }

  private disconnect(): void {
    this.database?.then(database => database.close(), () => {});
    this.database = undefined;
  }

  async erase(): Promise<void> {
    await this.within(tables => Promise.all(Object.values(tables).map(table => table.clear()))).catch(() => {});
    this.close();
    await promised(indexedDB.deleteDatabase(this.name));
  }

  private connect(): Promise<IDBDatabase> {
    const isAgain = this.wasOpen;
    this.wasOpen = true;
    return openDatabase(this.name, {
      gone: this.gone,
      made: () => isAgain && this.onClosed(true),
      closed: () => {
        this.database = undefined;
        this.onClosed(false);
      },
    });
  }

  private async connected<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
    for (let isLast = false; ; isLast = true) {
      await this.frozen;
      if (this.isClosed) throw new DOMException('', 'InvalidStateError');
      const used = (this.database ??= this.connect());
      try {
        return await work(await used);
      } catch (error) {
        if (!CLOSED.test((error as Error)?.name)) throw error;
        if (this.database === used) this.disconnect();
        if (isLast) throw error;
      }
    }
  }

  async get(type: string, id: string): Promise<Doc | null> {
    return visible(await this.read('rows', rows => rows.get([type, id])));
  }

  async all(type: string): Promise<[id: string, doc: Doc][]> {
    const rows = await this.read('rows', rows => rows.getAll(IDBKeyRange.bound([type], [type, []])));
    return rows.flatMap(row => {
      const doc = visible(row);
      return doc ? [[row.id, doc] as [string, Doc]] : [];
    });
  }

  /** Null for what is not there. */
  some(type: string, ids: readonly string[]): Promise<[id: string, doc: Doc | null][]> {
    return this.read('rows', rows => Promise.all(ids.map(async id => [id, visible(await rows.get([type, id]))] as [string, Doc | null])));
  }

  /** One transaction, or two tabs that open for the first time would be two devices. */
  device(made: string): Promise<string> {
    return this.within(async tables => {
      const known = (await tables.meta.get('device')) as string | undefined;
      if (!known) await tables.meta.put(made, 'device');
      return known ?? made;
    });
  }

  async counts(): Promise<{ pending: number; poisoned: number }> {
    const [all, pending] = await this.read('queue', queue => Promise.all([queue.count(), queue.index('live').count(1)]));
    return { pending, poisoned: all - pending };
  }

  cursor(): Promise<Cursor> {
    return this.read('meta', meta => cursorOf({ meta }));
  }

  async queue(): Promise<QueuedEdit[]> {
    return (await this.read('queue', queue => queue.getAll())).map(listed);
  }

  /** Writes edits locally and queues them. */
  write(edits: readonly Edit[], now: number): Promise<Doc[]> {
    return this.within(async tables => {
      const draft = await new Draft(tables).read(edits, true);
      const written = edits.map(edit => queueEdit(draft, edit, now)).filter(doc => doc !== null);
      draft.save();
      return written;
    });
  }

  /** Takes over what the server has. `cursor` is stored with what it stands for, or not at all. */
  receive(revisions: readonly Revision[], cursor: Partial<Cursor>): Promise<Key[]> {
    return this.asLeader(async tables => {
      const draft = new Draft(tables);
      await draft.read(revisions);
      const keys = take(draft, revisions);
      draft.save();
      await move(tables, cursor);
      return keys;
    });
  }

  /** As `receive`, but what did not come is gone. Unsent work stays. */
  replace(revisions: readonly Revision[], cursor: Cursor): Promise<Key[]> {
    return this.asLeader(async tables => {
      const rows = tables.rows;
      const before = await rows.getAll();
      await rows.clear();
      const draft = new Draft(tables);
      for (const row of before) {
        const left = kept(row, null);
        if (left.mine !== undefined || left.removed) draft.put(left.mine ? { ...left, mine: unbased(left.mine) } : left);
      }
      await unbaseQueue(tables);
      const keys = take(draft, revisions);
      draft.save();
      await tables.meta.put(cursor, 'cursor');
      return [...before.map(row => [row.type, row.id] as const), ...keys];
    });
  }

  /** Forgets how far it has come, so that the next pull replaces everything. */
  restart(): Promise<void> {
    return this.asLeader(tables => move(tables, startingOver));
  }

  async digest(): Promise<string> {
    const digest = new Digest();
    for (const row of await this.read('rows', rows => rows.getAll())) if (row.doc && row.version) digest.add(row.type, row.id, row.version);
    return digest.toString();
  }

  /** The batch to send: the one that is not answered yet, or a new one under the given key. */
  stage(key: string, now: number, bytesMax: number): Promise<{ batch?: Batch; nextAt?: number | undefined }> {
    return this.asLeader(async tables => {
      const [staged] = await tables.batches.getAll(null, 1);
      if (staged) return { batch: staged };
      const queue = tables.queue;
      const aside = await queue.index('live').getAll(2, LOOK_AHEAD);
      await Promise.all(aside.map(async item => isDueAgain(item, now) && queue.put({ ...item, live: 1, notBefore: 0 })));
      const waiting = await queue.index('live').getAll(1, LOOK_AHEAD);
      const { items, nextAt = Math.min(...aside.map(item => item.notBefore)) } = select(waiting, now, item => bytesOf(JSON.stringify(entityOf(item))), bytesMax);
      if (!items.length) return { nextAt: nextAt < Infinity ? nextAt : undefined };
      await Promise.all(items.map(async item => queue.put({ ...item, batch: key })));
      const { proof } = await cursorOf(tables);
      const batch = { key, body: bodyOf(items, proof), items: items.map(item => item.n) };
      await tables.batches.put(batch);
      return { batch };
    });
  }

  /** Takes an answer over: only now do items leave the queue. A batch another tab has settled meanwhile is left alone. */
  settle(batch: Batch, answer: BatchAnswer, now: number): Promise<Settled> {
    return this.asLeader(async tables => {
      const settled: Settled = { keys: [], conflicts: [], poisoned: [], lacks: false };
      if (!(await unstage(tables, batch))) return settled;
      const items = await itemsOf(tables, batch);
      const { lastSeq } = await cursorOf(tables);
      // An answer may be old, too, when it is replayed: what lies before the cursor has been heard, and what became of it since.
      const changes = answer.changes && answer.lastSeq > lastSeq ? revisionsOf(answer.changes) : [];
      const draft = await new Draft(tables).read(items, true);
      await draft.read(changes);
      const outcomes = outcomesOf(answer);
      items.forEach((item, i) => item && settleItem(draft, item, outcomes[i]!, { now, lastSeq }, settled));
      settled.keys.push(...take(draft, changes));
      draft.save();
      await move(tables, { proof: answer.newSyncToken, ...(settled.lacks && startingOver) });
      return settled;
    });
  }

  /** Its items go on in smaller batches, under keys of their own. If it was executed after all, they will be found unchanged. */
  release(batch: Batch): Promise<void> {
    return this.asLeader(async tables => {
      if (!(await unstage(tables, batch))) return;
      await Promise.all((await itemsOf(tables, batch)).map(async item => item && tables.queue.put(released(item))));
    });
  }

  /** The batch was refused as a whole: each item has failed once more, and goes on in a smaller group, unless that is `final`. */
  dissolve(batch: Batch, error: EditError, now: number, random: number, final: boolean): Promise<QueuedEdit[]> {
    return this.asLeader(async tables => {
      const poisoned: QueuedEdit[] = [];
      if (!(await unstage(tables, batch))) return poisoned;
      const items = await itemsOf(tables, batch);
      const draft = await new Draft(tables).read(items, true);
      for (const item of items) if (item) putBack(draft, final ? parked(item, error, now) : failedOnce(item, error, now, random), poisoned);
      draft.save();
      return poisoned;
    });
  }

  retry(n: number | undefined): Promise<void> {
    return this.within(async tables => {
      const queue = tables.queue;
      for (const item of await queue.getAll(n)) {
        if (item.live !== 1) await queue.put({ ...item, live: 1, attempts: 0, notBefore: 0 });
      }
    });
  }

  discard(n: number): Promise<Key[]> {
    return this.within(async tables => {
      const item = await tables.queue.get(n);
      if (!item || item.live === 1) return [];
      const draft = await new Draft(tables).read([item], true);
      remove(draft, item);
      draft.save();
      return [[item.type, item.id]];
    });
  }

  /** From now on nothing counts that another tab, which led before and may be revived, hears from the server. */
  lead(term: string): void {
    this.term = term;
    this.within(({ meta }) => meta.put(term, 'term')).catch(() => (this.term = undefined));
  }

  private asLeader<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.within(async tables => {
      const term = await tables.meta.get('term');
      if (this.term && term && term !== this.term) throw new Error('Not leading.');
      return work(tables);
    });
  }

  private read<N extends keyof Tables, T>(name: N, work: (table: Tables[N]) => Promise<T>): Promise<T> {
    return this.within(tables => work(tables[name]), [name], 'readonly');
  }

  private within<T>(work: (tables: Tables) => Promise<T>, names: readonly string[] = TABLES, mode: IDBTransactionMode = 'readwrite'): Promise<T> {
    return this.connected(async database => {
      const transaction = database.transaction(names, mode);
      const ended = done(transaction);
      this.running.add(transaction);
      try {
        const result = await work(tablesOf(transaction, names));
        await ended;
        return result;
      } catch (error) {
        ended.catch(() => {});
        try {
          transaction.abort();
        } catch {
          // It has aborted by itself, as when the storage is full.
        }
        throw transaction.error ?? error;
      } finally {
        this.running.delete(transaction);
      }
    });
  }
}
