import type { ChannelLike, Platform } from './types.js';

/** The tabs of one device: one leads, the others follow. The lock is given back when its tab ends, however it ends; of a tab that is frozen it is taken. */
export class Tabs<Message> {
  isLeader = false;
  private readonly channel: ChannelLike | undefined;
  /** Without them each tab leads. */
  readonly locks: Platform['locks'];
  private readonly closing = new AbortController();
  private releaseLock: () => void = () => {};

  constructor(
    private readonly name: string,
    platform: Platform,
    /** Whether this tab leads has changed. */
    private readonly onLeadership: () => void,
    onMessage: (message: Message) => void,
  ) {
    this.channel = platform.BroadcastChannel && new platform.BroadcastChannel(name);
    if (this.channel) this.channel.onmessage = event => onMessage(event.data as Message);
    // Who leads has to hear what the others want; where they cannot speak, or nobody gives the lead, each tab leads, and the queue's keys
    // keep it to once.
    this.locks = this.channel && platform.locks;
    this.requestLead();
  }

  post(message: Message): void {
    if (!this.closing.signal.aborted) this.channel?.postMessage(message);
  }

  close(): void {
    this.closing.abort();
    this.releaseLock();
    this.channel?.close();
    this.isLeader = false;
  }

  /** Waits for its turn, or takes the lead from a tab that does not answer. */
  requestLead(steal = false): void {
    const { locks, closing: { signal } } = this;
    if (!locks) return queueMicrotask(() => this.#onElected());
    const held = () => new Promise<void>(resolve => {
      this.releaseLock = resolve;
      queueMicrotask(() => this.#onElected());
    });
    // It rejects when we withdraw before our turn, and when another tab has taken the lead from us.
    Promise.resolve(locks.request(this.name, steal ? { steal } : { signal }, held)).catch(() => this.isLeader && this.stepDown());
  }

  /** Another tab is to lead, or does already. */
  stepDown(): void {
    if (!this.locks || !this.isLeader) return;
    this.isLeader = false;
    this.releaseLock();
    this.onLeadership();
    this.requestLead();
  }

  #onElected(): void {
    if (this.closing.signal.aborted) return this.releaseLock();
    this.isLeader = true;
    this.onLeadership();
  }
}
