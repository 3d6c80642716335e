import { unknownAnswer } from './net/failure.js';
import type { Context } from './deviceContext.js';
import { isPullAnswer, frameRevisions, pullRevisions, type PullAnswer, type Revision, type SocketFrame } from './pure/wire.js';
import type { Cursor } from './store/schema.js';
import { SerialQueue } from './serialQueue.js';

const PAGE_SIZE = 2_000;
const PAGE_SIZE_MIN = 60;
const VERIFY_MS = 300_000;
const VERIFY_MAX_MS = 86_400_000;

/** Applies pages of pulls and frames of the socket one at a time, so that the cursor never passes a revision that is not stored. */
export class Puller {
  readonly #serial = new SerialQueue();
  #verifiedAt = 0;
  /** Doubles each time a full fetch did not make the digests equal. */
  #verifyMs = VERIFY_MS;

  /** Shrinks after a page that did not arrive. */
  #pageSize = PAGE_SIZE;
  /** The pages of an interrupted replacement; the next pull continues after them. */
  #partial: { since: string | null; isReplacement: boolean; received: Revision[] } | undefined;

  /** Whether a pull met another history since the socket opened: what the socket says then may be of the one before. */
  isReplaced = false;

  constructor(private readonly context: Context) {}

  /** Runs work that must not overlap a pull, such as storing the answer to a batch. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#serial.run(work);
  }

  pull(): Promise<void> {
    return this.#serial.run(() => this.#pullNow());
  }

  /** Resets the cursor, so that the next pull replaces everything. */
  restart(): Promise<void> {
    return this.#serial.run(() => this.context.store.restart());
  }

  /**
   * Applies a frame. Returns false if revisions before it are missing, if it holds an unknown event, if an accepted edit may be left over
   * its document, or if it may be of a history that was replaced: the frame must come again after a pull.
   */
  apply(frame: SocketFrame): Promise<boolean> {
    return this.#serial.run(async () => {
      const { store, invalidate } = this.context;
      const { lastSeq, isClean } = await store.cursor();
      if (this.isReplaced || !isClean || frame.after! > lastSeq) return false;
      const revisions = frameRevisions(frame);
      const reached = frame.seq ?? frame.lastSeq ?? 0;
      if (!revisions.length && (reached <= lastSeq || frame.seq)) return reached <= lastSeq;
      await this.#receive(revisions, { lastSeq: Math.max(lastSeq, reached) });
      invalidate();
      return true;
    });
  }

  /** Throws on a full device, which applies deletions only and stays where it is in the history. */
  async #receive(revisions: readonly Revision[], position: Partial<Cursor>, since?: string | null): Promise<void> {
    const { store, changed } = this.context;
    changed(await store.receive(revisions, position, since));
    store.requireSpace();
  }

  async #pullNow(): Promise<void> {
    const { store, changed, invalidate } = this.context;
    const cursor = await store.cursor();
    // The first sync has nothing to replace, so each page is stored and shown at once.
    let { since, isReplacement, received } = this.#partial
      ?? { since: cursor.token, isReplacement: !cursor.token && !!cursor.proof, received: [] as Revision[] };
    this.#partial = undefined;
    for (;;) {
      // Nothing new is no reason to stop while an accepted edit may be left over its document.
      const answer = await this.#fetchPage(since, cursor.isClean && cursor.etag).catch(error => {
        this.#pageSize = Math.max(PAGE_SIZE_MIN, this.#pageSize >> 2);
        this.#partial = isReplacement ? { since, isReplacement, received } : undefined;
        throw error;
      });
      this.#pageSize = Math.min(PAGE_SIZE, this.#pageSize * 2);
      if (!answer) return;
      const { body, etag } = answer;
      if (body.reset) [this.isReplaced, isReplacement, received] = [true, true, []];
      const position = { token: body.syncToken, proof: body.syncToken, etag: body.syncToken === since ? etag : undefined };
      const revisions = pullRevisions(body);
      if (!isReplacement) {
        await this.#receive(revisions, { ...position, lastSeq: Math.max((await store.cursor()).lastSeq, body.lastSeq) }, since);
      } else {
        // A replacement is stored as a whole when its last page has arrived.
        received = received.concat(revisions);
        if (!body.hasMore) changed(await store.replace(received, { ...position, lastSeq: body.lastSeq }));
      }
      since = body.syncToken;
      if (body.hasMore) continue;
      invalidate();
      return this.#verify(body, isReplacement);
    }
  }

  async #fetchPage(since: string | null, etag: unknown): Promise<{ body: PullAnswer; etag: string | undefined } | undefined> {
    const headers = etag ? { 'if-none-match': etag as string } : undefined;
    const answer = await this.context.http.call(
      'POST', '/api/sync/pull', JSON.stringify({ since: since ?? undefined, limit: this.#pageSize }), headers);
    if (answer.status === 304) return undefined;
    if (!isPullAnswer(answer.body)) throw unknownAnswer();
    return answer as { body: PullAnswer; etag: string | undefined };
  }

  /** Compares the digest with the server's, which is possible at the same revision only. If they differ, everything is fetched again. */
  async #verify(answer: PullAnswer, isWhole: boolean): Promise<void> {
    const { store, platform, broadcast, changed } = this.context;
    const now = platform.now();
    const { isClean, lastSeq } = await store.cursor();
    const isDue = answer.digest && Math.abs(now - this.#verifiedAt) >= this.#verifyMs;
    if (lastSeq !== answer.lastSeq || (isClean && !isDue)) return;
    const { digest, keys } = await store.verify();
    changed(keys);
    if (!isDue) return;
    this.#verifiedAt = now;
    const isSame = digest === answer.digest;
    this.#verifyMs = isSame ? VERIFY_MS : Math.min(this.#verifyMs * 2, VERIFY_MAX_MS);
    if (isSame || isWhole) return;
    await store.restart();
    await this.#pullNow();
    broadcast('healed', { revision: answer.lastSeq });
  }
}
