import type { Context } from './context.js';
import { unknownAnswer } from './net/failure.js';
import { isPullAnswer, revisionsIn, revisionsOf, type PullAnswer, type Revision, type SocketFrame } from './pure/wire.js';
import { Serial } from './serial.js';

const PAGE = 2_000;
const PAGE_MIN = 60;
const VERIFY_MS = 300_000;
const VERIFY_MAX_MS = 86_400_000;

/** Brings in what the server has, over HTTP and from the socket's frames: one thing at a time, so that the cursor never passes what is not stored. */
export class Puller {
  private readonly serial = new Serial();
  private verifiedAt = 0;
  /** Longer each time that fetching everything did not help. */
  private verifyMs = VERIFY_MS;

  /** Smaller after one that did not arrive. */
  private page = PAGE;
  /** The pages of a replacement that broke off: it goes on from there. */
  private partial: { since: string | null; whole: boolean; gathered: Revision[] } | undefined;

  constructor(private readonly context: Context) {}

  /** What must not cross a pull: the answers to writes. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.serial.run(work);
  }

  pull(): Promise<void> {
    return this.serial.run(() => this.pullNow());
  }

  /** Forgets how far this device has come, so that the next pull replaces everything. */
  restart(): Promise<void> {
    return this.serial.run(() => this.context.store.restart());
  }

  /** Merges a frame. False: there is a hole before it, or an event in it that nobody here knows, and it has to come again after a pull. */
  take(frame: SocketFrame): Promise<boolean> {
    return this.serial.run(async () => {
      const { store, changed, stir } = this.context;
      const { lastSeq } = await store.cursor();
      if (frame.after !== undefined && frame.after > lastSeq) return false;
      const revisions = revisionsIn(frame);
      const reached = frame.seq ?? frame.lastSeq ?? 0;
      if (!revisions.length && reached <= lastSeq) return true;
      if (!revisions.length && frame.seq !== undefined) return false;
      changed(await store.receive(revisions, reached > lastSeq ? { lastSeq: reached } : {}));
      stir();
      return true;
    });
  }

  private async pullNow(): Promise<void> {
    const { store, changed, stir } = this.context;
    const cursor = await store.cursor();
    // At the very first there is nothing to replace: what has come is shown, and kept whatever becomes of the rest.
    let { since, whole, gathered } = this.partial ?? { since: cursor.token, whole: cursor.token === null && cursor.proof !== null, gathered: [] as Revision[] };
    this.partial = undefined;
    for (;;) {
      const answer = await this.ask(since, cursor.etag).catch(error => {
        this.page = Math.max(PAGE_MIN, this.page / 4);
        this.partial = whole ? { since, whole, gathered } : undefined;
        throw error;
      });
      this.page = Math.min(PAGE, this.page * 2);
      if (answer === undefined) return;
      const { body, etag } = answer;
      if (body.reset) [whole, gathered] = [true, []];
      const place = { token: body.syncToken, proof: body.syncToken, etag: body.syncToken === since ? etag : undefined };
      const revisions = revisionsOf(body);
      if (!whole) changed(await store.receive(revisions, { ...place, lastSeq: Math.max((await store.cursor()).lastSeq, body.lastSeq) }));
      else {
        // A replacement counts only when it is complete: it is stored at once, or not at all.
        gathered = gathered.concat(revisions);
        if (!body.hasMore) changed(await store.replace(gathered, { ...place, lastSeq: body.lastSeq }));
      }
      since = body.syncToken;
      if (body.hasMore) continue;
      stir();
      return this.verify(body, whole);
    }
  }

  private async ask(since: string | null, etag: string | undefined): Promise<{ body: PullAnswer; etag: string | undefined } | undefined> {
    const headers = etag ? { 'if-none-match': etag } : undefined;
    const answer = await this.context.http.call('POST', '/api/sync/pull', JSON.stringify({ ...(since ? { since } : {}), limit: Math.ceil(this.page) }), headers);
    if (answer.status === 304) return undefined;
    if (!isPullAnswer(answer.body)) throw unknownAnswer();
    return { body: answer.body, etag: answer.etag };
  }

  /** Do we hold the same? Only at the same revision can that be asked. If not, everything is fetched anew. */
  private async verify(answer: PullAnswer, isWhole: boolean): Promise<void> {
    const { store, platform, tell } = this.context;
    const now = platform.now();
    if (answer.digest === undefined || (this.verifiedAt && Math.abs(now - this.verifiedAt) < this.verifyMs)) return;
    if ((await store.cursor()).lastSeq !== answer.lastSeq) return;
    this.verifiedAt = now;
    const isSame = (await store.digest()) === answer.digest;
    this.verifyMs = isSame ? VERIFY_MS : Math.min(this.verifyMs * 2, VERIFY_MAX_MS);
    if (isSame || isWhole) return;
    await store.restart();
    await this.pullNow();
    tell('healed', { revision: answer.lastSeq });
  }
}
