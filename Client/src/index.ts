export { normalizeScoreId } from './pure/scoreId.js';
export { openSync } from './open.js';
export { Failure as SyncFailure } from './net/failure.js';
export { queueTable, type QueueEvent, type QueueState } from './pure/queueTable.js';
export { connectionTable, type ConnectionEvent, type ConnectionState } from './pure/connectionTable.js';
export type {
  Collection, Conflict, ConflictReport, Doc, EditError, Frame, MergeReport, Platform, QueuedEdit, Stored, Sync, SyncEvents, SyncOptions,
  SyncStatus,
} from './types.js';

