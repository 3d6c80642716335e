import type { Edit } from './store/steps.js';
import { normalizeId } from './pure/wire.js';
import type { Store } from './store/store.js';
import type { Collection, Doc, Stored } from './types.js';
import { validateDocument, requireId } from './pure/document.js';
import { runListener } from './events.js';

/** The device as its collections use it. */
export interface CollectionHost {
  readonly store: Store;
  readonly user: string;
  makeId(): string;
  write(edits: readonly Edit[]): Promise<Doc[]>;
  view(type: string): View;
}

/** All documents of a type, kept current for subscribers. */
export class View {
  readonly #listeners = new Set<(docs: Doc[]) => void>();
  #docs: Map<string, Doc> | undefined;
  #work: Promise<void> = Promise.resolve();
  #stale = new Set<string>();

  constructor(private readonly store: Store, private readonly type: string) {}

  subscribe(listener: (docs: Doc[]) => void): () => void {
    this.#listeners.add(listener);
    if (this.#docs) {
      const docs = [...this.#docs.values()];
      queueMicrotask(() => this.#listeners.has(listener) && runListener(() => listener(docs)));
    } else this.refresh();
    return () => void this.#listeners.delete(listener);
  }

  /** Reads the given documents again, or all. Changes that arrive during a reading are read together in the next round. */
  refresh(ids?: Iterable<string>): void {
    if (!this.#listeners.size) {
      this.#docs = undefined;
      return;
    }
    const isWaiting = ids && this.#stale.size > 0;
    for (const id of ids ?? []) this.#stale.add(id);
    if (isWaiting) return;
    this.#work = this.#work.then(() => {
      if (!ids) this.#docs = undefined;
      return this.#read();
    });
  }

  async #read(): Promise<void> {
    const ids = [...this.#stale];
    this.#stale = new Set();
    const docs = await this.#readDocs(ids).catch(() => (this.#docs = undefined)); // The next round reads everything.
    if (!docs) return;
    for (const listener of this.#listeners) runListener(() => listener(docs));
    if (!this.#listeners.size) this.#docs = undefined;
  }

  /** Returns all documents and reads only what is stale. Returns undefined if nothing is. */
  async #readDocs(ids: readonly string[]): Promise<Doc[] | undefined> {
    if (this.#docs && !ids.length) return undefined;
    // Reading half of the documents one by one takes about as long as reading all of them at once.
    if (!this.#docs || ids.length > this.#docs.size / 2) this.#docs = new Map(await this.store.all(this.type));
    else for (const [id, doc] of await this.store.getMany(this.type, ids)) doc ? this.#docs.set(id, doc) : this.#docs.delete(id);
    return [...this.#docs.values()];
  }
}

export function collection<T extends object>(host: CollectionHost, type: string): Collection<T> {
  type Entity = T & Stored;
  const edit = (doc: T & { id?: string }): Edit => {
    const valid = validateDocument(type, doc, host.user, () => host.makeId());
    return { type, id: valid.id, doc: valid, baseVersion: valid.version };
  };
  const deletion = (what: string | Stored): Edit => {
    const { id, version } = typeof what === 'string' ? { id: what, version: undefined } : what;
    return { type, id: requireId(normalizeId(type, id)), doc: null, baseVersion: version };
  };
  const putAll = async (docs: readonly (T & { id?: string })[]) => (await host.write(docs.map(edit))) as Entity[];
  return {
    putAll,
    put: async doc => (await putAll([doc]))[0]!,
    get: async id => ((await host.store.get(type, normalizeId(type, id))) as Entity | null) ?? undefined,
    all: async () => (await host.store.all(type)).map(([, doc]) => doc as Entity),
    delete: async what => void (await host.write([deletion(what)])),
    subscribe: listener => host.view(type).subscribe(listener as (docs: Doc[]) => void),
  };
}
