import { StateMachine } from './pure/stateMachine.js';
import { isBatchAnswer, type BatchAnswer } from './pure/wire.js';
import { Failure, retryAfter, unknownAnswer } from './net/failure.js';
import { BYTES_MAX, utf8Length } from './pure/batch.js';
import type { Edit } from './store/steps.js';
import type { ConnectionState } from './pure/connectionTable.js';
import type { Context } from './deviceContext.js';
import type { Puller } from './puller.js';
import { queueTable, type QueueAction, type QueueEvent, type QueueState } from './pure/queueTable.js';
import { backoff } from './pure/backoff.js';
import type { Batch } from './store/schema.js';
import { SerialQueue } from './serialQueue.js';

// A batch is tried this often before a smaller one is tried.
const ATTEMPTS_PER_SIZE = 2;
const REQUEST_TIMEOUT = 408;

/** The connection as the queue uses it. */
interface QueueConnection {
  readonly state: ConnectionState;
  /** A request failed for a reason that concerns the whole connection. */
  onFailure(failure: Failure): void;
  /** The server answered a batch. `isIncomplete`: a document is missing here that the socket will not deliver. */
  onAnswer(isIncomplete: boolean): void;
}

/** Sends queued edits as the queue table says. */
export class Queue {
  readonly #machine: StateMachine<QueueState, QueueEvent, QueueAction>;
  readonly #serial = new SerialQueue();
  #timer: unknown;
  /** Why the last batch failed, until one is answered. */
  failure: unknown;
  #failures = 0;
  #retryAfterMs = 0;
  #bytesMax = BYTES_MAX;
  /** Counts consecutive batches that got no answer from the server. */
  #unanswered = 0;
  /** Numbers the runs of sending; results of a cancelled run are ignored. */
  #generation = 0;

  constructor(
    private readonly context: Context,
    private readonly puller: Puller,
    private readonly connection: QueueConnection,
  ) {
    this.#machine = new StateMachine<QueueState, QueueEvent,
    QueueAction>(queueTable, 'held', action => this.#perform(action), () => context.invalidate());
  }

  get state(): QueueState {
    return this.#machine.state;
  }

  fire(event: QueueEvent): void {
    // flush() shortens the queue's own back-off but not a Retry-After of the server.
    if (event === 'flush' && this.state === 'waiting' && this.#retryAfterMs) return;
    // Another network may have a proxy with another body limit.
    if (event === 'release' && this.state === 'held') this.#bytesMax = BYTES_MAX;
    this.#machine.fire(event);
  }

  #perform(action: QueueAction): void {
    const { platform } = this.context;
    switch (action) {
      case 'send': {
        const generation = this.#generation;
        void this.#serial.run(() => this.#send(generation));
        return;
      }
      case 'backOff':
        return this.#wakeIn(backoff(this.#failures, platform.random(), this.#retryAfterMs));
      case 'cancel':
        this.#generation++;
        platform.clearTimeout(this.#timer);
    }
  }

  #wakeIn(ms: number): void {
    const { platform } = this.context;
    platform.clearTimeout(this.#timer);
    this.#timer = platform.setTimeout(() => this.fire('timer'), ms);
  }

  async #send(generation: number): Promise<void> {
    if (generation !== this.#generation) return;
    const event = await this.#sendOne(generation).catch(error => this.#failed(error));
    if (generation === this.#generation) this.fire(event);
  }

  async #sendOne(generation: number): Promise<QueueEvent> {
    const { store, platform } = this.context;
    const { batch, nextAt } = await store.stage(platform.randomId(), platform.now(), this.#bytesMax);
    if (!batch) {
      if (generation === this.#generation && nextAt! < Infinity) this.#wakeIn(nextAt! - platform.now());
      return 'empty';
    }
    try {
      await this.#post(batch);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.verdict === 'fault') await this.#failBatch(batch, error);
      else if (
        (error.verdict !== 'unanswered' && (error.status !== REQUEST_TIMEOUT || batch.items.length === 1))
          || !(await this.#shrinkBatch(batch, error))) throw error;
    }
    return 'settled';
  }

  async #post(batch: Batch): Promise<void> {
    const { store, http } = this.context;
    const { body } = await http.call('POST', '/api/sync/batch', batch.body, { 'x-idempotency-key': batch.key, ...store.merging?.headers });
    if (!isBatchAnswer(body, batch.items.length)) throw unknownAnswer();
    await this.#settle(batch, body);
  }

  /** Sends edits that the device is too full to queue, and waits for the answer. */
  async sendUnqueued(edits: readonly Edit[]): Promise<void> {
    const { store, platform } = this.context;
    await this.#post(await store.stageUnqueued(edits, platform.randomId(), platform.now()));
  }

  /** A proxy blocks a batch that fails repeatedly while pulls succeed: smaller batches are tried, down to one edit, which is parked. */
  async #shrinkBatch(batch: Batch, failure: Failure): Promise<boolean> {
    const { store } = this.context;
    const isTooLarge = failure.status === 413;
    if (!isTooLarge && failure.status !== REQUEST_TIMEOUT && ++this.#unanswered % ATTEMPTS_PER_SIZE) return false;
    await this.puller.pull();
    this.#failures = 0;
    this.#bytesMax = utf8Length(batch.body) / 2;
    if (batch.items.length > 1) await store.release(batch);
    else await this.#failBatch(
      batch, new Failure('fault', 'UNANSWERED', `A proxy blocks this edit: ${failure.message}`), isTooLarge);
    return true;
  }

  async #settle(batch: Batch, answer: BatchAnswer): Promise<void> {
    const { store, platform, changed, broadcast } = this.context;
    const settled = await this.puller.exclusive(() => store.settle(batch, answer, platform.now()));
    changed(settled.keys);
    for (const [event, payload] of settled.events) broadcast(event, payload);
    // A full device cannot count the failure of an item, so only a growing wait keeps it from being repeated at once.
    if (answer.conflicts.length) store.requireSpace();
    this.#failures = this.#retryAfterMs = this.#unanswered = 0;
    this.failure = undefined;
    // A live socket delivers the stored documents; without one they are pulled. The socket does not repeat what it has delivered.
    if (this.connection.state !== 'live' && !store.isFull) await this.puller.pull();
    this.connection.onAnswer(settled.isIncomplete);
  }

  async #failBatch(batch: Batch, failure: Failure, final?: boolean): Promise<void> {
    const { store, platform, broadcast, invalidate } = this.context;
    const events = await store.failBatch(
      batch, { code: failure.code, message: failure.message }, platform.now(), platform.random(), final);
    for (const [event, payload] of events) broadcast(event, payload);
    invalidate();
  }

  #failed(error: unknown): QueueEvent {
    this.#failures++;
    this.#retryAfterMs = retryAfter(error);
    this.failure = error;
    if (error instanceof Failure) this.connection.onFailure(error);
    return 'failed';
  }
}
