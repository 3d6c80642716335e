import type { ChannelLike, Platform } from './types.js';

/** The tabs of one device: one leads, the others follow. The lock is given back when its tab ends, however it ends; of a tab that is frozen it is taken. */
export class Tabs<Message> {
  isLeader = false;
  private readonly channel: ChannelLike | undefined;
  /** Without them each tab leads. */
  readonly locks: Platform['locks'];
  private readonly withdrawn = new AbortController();
  private resign: () => void = () => {};

  constructor(
    private readonly name: string,
    platform: Platform,
    /** Whether this tab leads has changed. */
    private readonly turned: () => void,
    heard: (message: Message) => void,
  ) {
    this.channel = platform.BroadcastChannel && new platform.BroadcastChannel(name);
    if (this.channel) this.channel.onmessage = event => heard(event.data as Message);
    // Who leads has to hear what the others want; where they cannot speak, or nobody gives the lead, each tab leads, and the queue's keys keep it to once.
    this.locks = this.channel && platform.locks;
    this.stand();
  }

  post(message: Message): void {
    if (!this.withdrawn.signal.aborted) this.channel?.postMessage(message);
  }

  close(): void {
    this.withdrawn.abort();
    this.resign();
    this.channel?.close();
    this.isLeader = false;
  }

  /** Waits for its turn, or takes the lead from a tab that does not answer. */
  stand(steal = false): void {
    const { locks, withdrawn: { signal } } = this;
    if (!locks) return queueMicrotask(() => this.elected());
    const held = () => new Promise<void>(resolve => {
      this.resign = resolve;
      queueMicrotask(() => this.elected());
    });
    // It rejects when we withdraw before our turn, and when another tab has taken the lead from us.
    Promise.resolve(locks.request(this.name, steal ? { steal } : { signal }, held)).catch(() => this.isLeader && this.stepDown());
  }

  /** Another tab is to lead, or does already. */
  stepDown(): void {
    if (!this.locks || !this.isLeader) return;
    this.isLeader = false;
    this.resign();
    this.turned();
    this.stand();
  }

  private elected(): void {
    if (this.withdrawn.signal.aborted) return this.resign();
    this.isLeader = true;
    this.turned();
  }
}
