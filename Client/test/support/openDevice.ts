import { afterEach, expect } from 'vitest';
import type { Sync } from '../../src/index.js';
import { soon, type FakeWorld } from './fakeWorld.js';

const open: Sync[] = [];

/** A device of this world, closed when its test ends. */
export async function opened(world: FakeWorld, options = {}): Promise<Sync> {
  const sync = await world.open(options);
  open.push(sync);
  return sync;
}

/** Opens a device with a live socket. */
export async function live(world: FakeWorld, options = {}): Promise<Sync> {
  const sync = await opened(world, options);
  await soon(() => expect(world.sockets).toHaveLength(1));
  await world.socket.lives();
  await soon(() => expect(sync.status.connection).toBe('live'));
  return sync;
}

export async function closeAll(): Promise<void> {
  for (const sync of open.splice(0)) await sync.close();
}

afterEach(closeAll);
