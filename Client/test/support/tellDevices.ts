import type { Sync } from '../../src/index.js';

/** Says where each device stands, for a test that failed or took too long. */
export async function tellDevices(devices: readonly Sync[]): Promise<void> {
  for (const sync of devices) console.error(JSON.stringify({ status: sync.status, queue: (await sync.queue()).slice(0, 3) }));
}
