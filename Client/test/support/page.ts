import { afterEach, vi } from 'vitest';

afterEach(() => void vi.unstubAllGlobals());

/** As much of a page as tells about the network and its own life. Devices that are opened from now on are in it. */
export function page(onLine: boolean): { onLine: boolean; fire(event: string): void } {
  const listeners = new Map<string, () => void>();
  const state = { onLine, fire: (event: string) => listeners.get(event)?.() };
  vi.stubGlobal(
    'window',
    {
      navigator: state, document: state, addEventListener: (event: string, listener: () => void) => listeners.set(event, listener),
      removeEventListener: (event: string) => listeners.delete(event)
    });
  return state;
}
