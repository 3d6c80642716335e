import { afterEach } from 'vitest';

const { put } = IDBObjectStore.prototype;
afterEach(() => void (IDBObjectStore.prototype.put = put));

/**
 * The browser's storage as Chromium keeps it: a transaction whose writes need more than the room that is left is aborted, and one that only
 * deletes is always allowed. Deleting makes no room by itself, because files are compacted later.
 */
export class Disk {
  /** The bytes that one transaction may write. */
  room = Infinity;
  /** Which write has no room, whatever room there is. */
  refuses: (key?: IDBValidKey) => boolean = () => false;
  private readonly written = new WeakMap<IDBTransaction, number>();

  constructor() {
    const disk = this;
    IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...rest: [unknown, IDBValidKey?]) {
      const request = put.apply(this, rest);
      const { transaction } = this;
      const bytes = (disk.written.get(transaction) ?? 0) + JSON.stringify(rest).length;
      disk.written.set(transaction, bytes);
      if (bytes > disk.room || disk.refuses(rest[1])) request.addEventListener(
        'success', () => (transaction as unknown as { _abort(name: string): void })._abort('QuotaExceededError'));
      return request;
    };
  }
}
