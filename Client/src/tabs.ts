import type { ChannelLike, Platform } from './types.js';

/** Elects one leader among the tabs of a device, by a Web Lock. The lock is released when its tab ends, and is stolen from a frozen tab. */
export class Tabs<Message> {
  isLeader = false;
  readonly #channel: ChannelLike | undefined;
  /** Undefined if the platform has no locks or no channel: each tab leads then. */
  readonly locks: Platform['locks'];
  readonly #closing = new AbortController();
  #releaseLock: () => void = () => {};

  constructor(
    private readonly name: string,
    platform: Platform,
    /** Called when this tab became the leader or stopped leading. */
    private readonly onLeadership: () => void,
    onMessage: (message: Message) => void,
  ) {
    this.#channel = platform.BroadcastChannel && new platform.BroadcastChannel(name);
    if (this.#channel) this.#channel.onmessage = event => onMessage(event.data as Message);
    // The leader must hear the followers. Without channels or locks each tab leads; the batches' idempotency keys keep writes exactly once.
    this.locks = this.#channel && platform.locks;
    this.requestLead();
  }

  post(message: Message): void {
    if (!this.#closing.signal.aborted) this.#channel?.postMessage(message);
  }

  close(): void {
    this.#closing.abort();
    this.#releaseLock();
    this.#channel?.close();
    this.isLeader = false;
  }

  /** Requests the lead, or steals it from a tab that does not answer. */
  requestLead(steal = false): void {
    const { locks } = this;
    if (!locks) return queueMicrotask(() => this.#onElected());
    const held = () => new Promise<void>(resolve => {
      this.#releaseLock = resolve;
      queueMicrotask(() => this.#onElected());
    });
    // The request rejects when this tab closes before its turn, and when another tab steals the lock.
    locks.request(this.name, steal ? { steal } : { signal: this.#closing.signal }, held).catch(() => this.isLeader && this.stepDown());
  }

  /** Gives up the lead. */
  stepDown(): void {
    if (!this.locks || !this.isLeader) return;
    this.isLeader = false;
    this.#releaseLock();
    this.onLeadership();
    this.requestLead();
  }

  #onElected(): void {
    if (this.#closing.signal.aborted) return this.#releaseLock();
    this.isLeader = true;
    this.onLeadership();
  }
}
