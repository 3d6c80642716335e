import type { Sync } from '../../src/index.js';
import type { Gateway } from './gateway.js';

/** Says where each device stands and what the server wrote last, for a test that failed or took too long. */
export async function tellDevices(devices: readonly Sync[], gateway: Gateway): Promise<void> {
  console.error(gateway.log());
  for (const sync of devices) console.error(JSON.stringify({ status: sync.status, queue: (await sync.queue()).slice(0, 3) }));
}
