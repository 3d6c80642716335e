/** As much of IndexedDB as is used here, by promises. */
export class Source<V> {
  constructor(protected readonly native: IDBObjectStore | IDBIndex) {}

  get(key: IDBValidKey): Promise<V | undefined> {
    return promised(this.native.get(key));
  }

  getAll(query?: IDBValidKey | IDBKeyRange | null, count?: number): Promise<V[]> {
    return promised(this.native.getAll(query, count));
  }

  count(query?: IDBValidKey): Promise<number> {
    return promised(this.native.count(query));
  }
}

export class Table<V> extends Source<V> {
  declare protected readonly native: IDBObjectStore;

  put(value: V, key?: IDBValidKey): Promise<unknown> {
    return promised(this.native.put(value, key));
  }

  delete(key: IDBValidKey): Promise<unknown> {
    return promised(this.native.delete(key));
  }

  clear(): Promise<unknown> {
    return promised(this.native.clear());
  }

  index(name: string): Source<V> {
    return new Source(this.native.index(name));
  }
}

export function promised<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Rejects with what ended it, if it did not complete. */
export function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException('The transaction was aborted.', 'AbortError'));
  });
}
