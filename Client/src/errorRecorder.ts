import type { Device } from './device.js';
import type { Sync } from './types.js';

const ERRORS_MAX = 50;
const CODE_LENGTH_MAX = 64;

/** Something that went wrong, without its message: a message may quote what the user wrote. */
export interface KnownError {
  /** When, by the device's clock, as ISO 8601. */
  at: string;
  /** `connection` is a state without the server, `socket` an ERROR frame; the others are events of the device. */
  kind: 'connection' | 'socket' | 'poisoned' | 'signedOut' | 'refused' | 'quota' | 'lost' | 'healed';
  /** The state or error code. */
  code: string;
}

const recorded = new WeakMap<Sync, KnownError[]>();

/** Remembers the last 50 errors of a device from now on, for its support bundles. Call it right after `openSync`. */
export function recordErrors(sync: Sync): void {
  if (recorded.has(sync)) return;
  const errors: KnownError[] = [];
  recorded.set(sync, errors);
  const { platform } = sync as Device;
  const add = (kind: KnownError['kind'], code: unknown) => {
    errors.push({
      at: new Date(platform.now()).toISOString(), kind, code: typeof code === 'string' ? code.slice(0, CODE_LENGTH_MAX) : '?',
    });
    if (errors.length > ERRORS_MAX) errors.shift();
  };
  let before = sync.status.connection;
  sync.on('status', ({ connection }) => {
    if (connection !== before && (connection === 'waiting' || connection === 'polling')) add('connection', connection);
    before = connection;
  });
  sync.on('frame', ({ via, direction, label, data }) => {
    if (via === 'socket' && direction === 'in' && label === 'ERROR') add('socket', (data as { code?: unknown }).code);
  });
  sync.on('poisoned', ({ error }) => add('poisoned', error?.code));
  for (const kind of ['signedOut', 'refused'] as const) sync.on(kind, ({ code }) => add(kind, code));
  for (const kind of ['quota', 'lost', 'healed'] as const) sync.on(kind, () => add(kind, kind));
}

export const recordedErrors = (sync: Sync): KnownError[] => [...(recorded.get(sync) ?? [])];
