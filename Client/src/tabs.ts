import type { ChannelLike, Platform } from './types.js';

/** The tabs of one device: one leads, the others follow. The lock is given back when its tab ends, however it ends. */
export class Tabs<Message> {
  isLeader = false;
  private readonly channel: ChannelLike | undefined;
  private readonly withdrawn = new AbortController();
  private resign: () => void = () => {};

  constructor(name: string, platform: Platform, private readonly lead: () => void, heard: (message: Message) => void) {
    this.channel = platform.BroadcastChannel && new platform.BroadcastChannel(name);
    if (this.channel) this.channel.onmessage = event => heard(event.data as Message);
    // Who leads has to hear what the others want; where they cannot speak, or nobody gives the lead, each tab leads, and the queue's keys keep it to once.
    if (platform.locks && this.channel) this.stand(name, platform.locks);
    else queueMicrotask(() => this.elected());
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

  private stand(name: string, locks: NonNullable<Platform['locks']>): void {
    const held = () => new Promise<void>(resolve => {
      this.resign = resolve;
      queueMicrotask(() => this.elected());
    });
    // It rejects when we withdraw before our turn, which is no error.
    Promise.resolve(locks.request(name, { signal: this.withdrawn.signal }, held)).catch(() => {});
  }

  private elected(): void {
    if (this.withdrawn.signal.aborted) return this.resign();
    this.isLeader = true;
    this.lead();
  }
}
