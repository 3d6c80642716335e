/** The part of an object store or index that is used here, with promises. */
export interface ReadSource<V> {
  get(key: IDBValidKey): Promise<V | undefined>;
  getAll(query?: IDBValidKey | IDBKeyRange | null, count?: number): Promise<V[]>;
  count(query?: IDBValidKey): Promise<number>;
}

export interface Table<V> extends ReadSource<V> {
  put(value: V, key?: IDBValidKey): Promise<unknown>;
  delete(key: IDBValidKey): Promise<unknown>;
  clear(): Promise<unknown>;
  index(name: string): ReadSource<V>;
}

/** Wraps an object store so that each method returns a promise. `onPut` is called before each `put`. */
export const table = <V>(native: IDBObjectStore | IDBIndex, onPut?: () => void): Table<V> => new Proxy(native, {
  get: (_, name) => (...given: unknown[]) => {
    if (name === 'put') onPut?.();
    const result = (native as any)[name](...given);
    return result instanceof IDBIndex ? table(result) : toPromise(result);
  },
}) as unknown as Table<V>;

export function toPromise<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

const QUOTA_ERROR = 'QuotaExceededError';

export const isQuota = (error: unknown): boolean => (error as Error | undefined)?.name === QUOTA_ERROR;

/** The browser's own error has no message. */
export const fullDevice = (): DOMException => new DOMException(
  'This device is full. Free space or delete documents online.', QUOTA_ERROR);

/** Resolves when a transaction completes and rejects with the reason when it aborts. */
export function completion(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException('', 'AbortError'));
  });
}

/** A transaction that is being committed, or has ended, cannot be aborted. It delays nobody. */
export function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // Nothing is left to abort.
  }
}
