import { hex } from './pure/sha256.js';
import type { Platform } from './types.js';

/** The platform of this runtime. */
export function defaultPlatform(): Platform {
  const world = globalThis as typeof globalThis & { WebSocket?: Platform['WebSocket'] };
  const locks = world.navigator?.locks;
  return {
    fetch: (input, init) => world.fetch(input, init),
    WebSocket: world.WebSocket,
    CompressionStream: world.CompressionStream,
    locks,
    // A page on plain http has no locks but has other tabs. Node gets no channel, because an open channel keeps the process from ending.
    BroadcastChannel: locks || typeof window !== 'undefined'
      ? (world.BroadcastChannel as unknown as Platform['BroadcastChannel'])
      : undefined,
    now: () => Date.now(),
    random: () => Math.random(),
    // crypto.randomUUID is missing on plain http pages, getRandomValues is not.
    randomId: () => hex(crypto.getRandomValues(new Uint32Array(4))),
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: timer => clearTimeout(timer as number),
  };
}
