import type { Context } from './deviceContext.js';
import { unknownAnswer } from './net/failure.js';
import { isPullAnswer, frameRevisions, pullRevisions, type PullAnswer, type Revision, type SocketFrame } from './pure/wire.js';
import { SerialQueue } from './serialQueue.js';

const PAGE_SIZE = 2_000;
const PAGE_SIZE_MIN = 60;
const VERIFY_MS = 300_000;
const VERIFY_MAX_MS = 86_400_000;

/** Brings in what the server has, over HTTP and from the socket's frames: one thing at a time, so that the cursor never passes what is not stored. */
export class Puller {
  private readonly serial = new SerialQueue();
  private verifiedAt = 0;
  /** Longer each time that fetching everything did not help. */
  private verifyMs = VERIFY_MS;

  /** Smaller after one that did not arrive. */
  private pageSize = PAGE_SIZE;
  /** The pages of a replacement that broke off: it goes on from there. */
  private partial: { since: string | null; isReplacement: boolean; received: Revision[] } | undefined;

  constructor(private readonly context: Context) {}

  /** What must not cross a pull: the answers to writes. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.serial.run(work);
  }

  pull(): Promise<void> {
    return this.serial.run(() => this.#pullNow());
  }

  /** Forgets how far this device has come, so that the next pull replaces everything. */
  restart(): Promise<void> {
    return this.serial.run(() => this.context.store.restart());
  }

  /** Merges a frame. False: there is a hole before it, or an event in it that nobody here knows, and it has to come again after a pull. */
  apply(frame: SocketFrame): Promise<boolean> {
    return this.serial.run(async () => {
      const { store, changed, invalidate } = this.context;
      const { lastSeq } = await store.cursor();
      if (frame.after !== undefined && frame.after > lastSeq) return false;
      const revisions = frameRevisions(frame);
      const reached = frame.seq ?? frame.lastSeq ?? 0;
      if (!revisions.length && reached <= lastSeq) return true;
      if (!revisions.length && frame.seq !== undefined) return false;
      changed(await store.receive(revisions, reached > lastSeq ? { lastSeq: reached } : {}));
      invalidate();
      return true;
    });
  }

  async #pullNow(): Promise<void> {
    const { store, changed, invalidate } = this.context;
    const cursor = await store.cursor();
    // At the very first there is nothing to replace: what has come is shown, and kept whatever becomes of the rest.
    let { since, isReplacement, received } = this.partial
      ?? { since: cursor.token, isReplacement: cursor.token === null && cursor.proof !== null, received: [] as Revision[] };
    this.partial = undefined;
    for (;;) {
      const answer = await this.#fetchPage(since, cursor.etag).catch(error => {
        this.pageSize = Math.max(PAGE_SIZE_MIN, this.pageSize / 4);
        this.partial = isReplacement ? { since, isReplacement, received } : undefined;
        throw error;
      });
      this.pageSize = Math.min(PAGE_SIZE, this.pageSize * 2);
      if (answer === undefined) return;
      const { body, etag } = answer;
      if (body.reset) [isReplacement, received] = [true, []];
      const position = { token: body.syncToken, proof: body.syncToken, etag: body.syncToken === since ? etag : undefined };
      const revisions = pullRevisions(body);
      if (!isReplacement) changed(
        await store.receive(revisions, { ...position, lastSeq: Math.max((await store.cursor()).lastSeq, body.lastSeq) }));
      else {
        // A replacement counts only when it is complete: it is stored at once, or not at all.
        received = received.concat(revisions);
        if (!body.hasMore) changed(await store.replace(received, { ...position, lastSeq: body.lastSeq }));
      }
      since = body.syncToken;
      if (body.hasMore) continue;
      invalidate();
      return this.#verify(body, isReplacement);
    }
  }

  async #fetchPage(since: string | null, etag: string | undefined): Promise<{ body: PullAnswer; etag: string | undefined } | undefined> {
    const headers = etag ? { 'if-none-match': etag } : undefined;
    const answer = await this.context.http.call(
      'POST', '/api/sync/pull', JSON.stringify({ ...(since ? { since } : {}), limit: Math.ceil(this.pageSize) }), headers);
    if (answer.status === 304) return undefined;
    if (!isPullAnswer(answer.body)) throw unknownAnswer();
    return { body: answer.body, etag: answer.etag };
  }

  /** Do we hold the same? Only at the same revision can that be asked. If not, everything is fetched anew. */
  async #verify(answer: PullAnswer, isWhole: boolean): Promise<void> {
    const { store, platform, broadcast } = this.context;
    const now = platform.now();
    if (answer.digest === undefined || (this.verifiedAt && Math.abs(now - this.verifiedAt) < this.verifyMs)) return;
    if ((await store.cursor()).lastSeq !== answer.lastSeq) return;
    this.verifiedAt = now;
    const isSame = (await store.digest()) === answer.digest;
    this.verifyMs = isSame ? VERIFY_MS : Math.min(this.verifyMs * 2, VERIFY_MAX_MS);
    if (isSame || isWhole) return;
    await store.restart();
    await this.#pullNow();
    broadcast('healed', { revision: answer.lastSeq });
  }
}
