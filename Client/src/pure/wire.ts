import type { Doc } from '../types.js';
import { parseTime } from './clock.js';
import { normalizeScoreId } from './scoreId.js';

/** One entity as the server holds it: `doc` is null if it is deleted. */
export interface Revision {
  type: string;
  id: string;
  doc: Doc | null;
  version: number;
  at: number;
}

/** Members of a pull by entity type. Other types are in `other`. */
const PULL_MEMBERS = {
  entries: 'logbook_entry',
  goals: 'goal',
  repertoire: 'repertoire_item',
  practicePlans: 'practice_plan',
  planOccurrences: 'plan_occurrence',
  planTemplates: 'plan_template',
} as const;

/** Whether the protocol names this type, and with it some members of its documents. */
export const isProtocolType = (type: string): boolean => type === 'user_preferences' || Object.values<string>(PULL_MEMBERS).includes(type);

/** Where a frame holds documents, and of which type. A member is a document or a list of them. */
const FRAME_MEMBERS: Readonly<Record<string, string>> = {
  entry: 'logbook_entry', entries: 'logbook_entry', goal: 'goal', piece: 'repertoire_item',
  pieces: 'repertoire_item', plan: 'practice_plan',
  occurrence: 'plan_occurrence', occurrences: 'plan_occurrence', template: 'plan_template', preferences: 'user_preferences',
};

/** Where a frame that deletes holds the id, and of which type. */
const DELETION_MEMBERS: Readonly<Record<string, string>> = {
  entryId: 'logbook_entry', goalId: 'goal', scoreId: 'repertoire_item', planId: 'practice_plan', templateId: 'plan_template',
};

export interface PullAnswer {
  deleted?: { entityType: string; entityId: string; deletedAt: string; seq: number }[];
  other?: Record<string, Doc[]>;
  preferences?: Doc | null;
  syncToken: string;
  lastSeq: number;
  digest?: string;
  hasMore?: boolean;
  reset?: boolean;
  [member: string]: unknown;
}

export interface ItemResult {
  entityType: string;
  entityId: string;
  status: 'created' | 'updated' | 'deleted' | 'unchanged' | 'merged' | 'conflict' | 'refused';
  seq?: number;
  version?: number;
  updatedAt?: string;
  document?: Doc;
  /** JSON pointers of the members that lost; absent if none did, or the whole document. */
  members?: string[];
}

export interface BatchConflict {
  entityType: string;
  entityId: string;
  reason: string;
  message: string;
  server?: Doc;
}

export interface BatchAnswer {
  results: ItemResult[];
  conflicts: BatchConflict[];
  newSyncToken: string;
  lastSeq: number;
  changes?: PullAnswer;
}

export const isPullAnswer = (body: unknown): body is PullAnswer =>
  typeof (body as PullAnswer | null)?.syncToken === 'string' && Number.isInteger((body as PullAnswer).lastSeq);

const STATUS = /^(created|updated|deleted|unchanged|merged|conflict|refused)$/;

/** Whether the answer has a known status for each item. An item without one is not acknowledged. */
export const isBatchAnswer = (body: unknown, items: number): body is BatchAnswer => {
  const { results, conflicts, newSyncToken } = (body ?? {}) as Partial<BatchAnswer>;
  return Array.isArray(results)
    && results.length === items
    && results.every(result => STATUS.test(result?.status))
    && Array.isArray(conflicts)
    && typeof newSyncToken === 'string';
};

/** The answer to one item of a batch. */
export interface Outcome {
  result: ItemResult;
  conflict: BatchConflict | undefined;
}

/** The outcomes in the order of the batch. Only the order is reliable, because the server leaves out an unusable id. */
export function outcomesFrom({ results, conflicts }: BatchAnswer): Outcome[] {
  let beaten = 0;
  return results.map(result => ({ result, conflict: /^(conflict|refused)$/.test(result.status) ? conflicts[beaten++] : undefined }));
}

export type SocketFrame = { type: string; after?: number; seq?: number; lastSeq?: number; reset?: boolean; [member: string]: unknown };

const liveRevision = (type: string, doc: Doc): Revision =>
  ({ type, id: String(doc.id), doc, version: Number(doc.version) || 0, at: parseTime(doc.updatedAt) });

const tombstone = (type: string, id: string, deletedAt: unknown, version: unknown): Revision =>
  ({ type, id, doc: null, version: Number(version) || 0, at: parseTime(deletedAt) });

/** The revision of a conflict's winner. A tombstone has only `id`, `deletedAt` and `version`. */
export const winnerRevision = (type: string, id: string, doc: Doc): Revision =>
  doc.deletedAt ? tombstone(type, id, doc.deletedAt, doc.version) : { ...liveRevision(type, doc), id };

/** The revisions of a pull or of a batch's `changes`, deletions last. */
export function pullRevisions(answer: Partial<PullAnswer>): Revision[] {
  const lists = Object.entries(PULL_MEMBERS).map(([member, type]) => [type, answer[member]] as const);
  const all = [
    ...lists, ...Object.entries(answer.other ?? {}), ['user_preferences', answer.preferences ? [answer.preferences] : []] as const
  ];
  return [
    ...all.flatMap(([type, docs]) => ((docs as Doc[] | undefined) ?? []).map(doc => liveRevision(type, doc))),
    ...(answer.deleted ?? []).map(row => tombstone(row.entityType, row.entityId, row.deletedAt, 0)),
  ];
}

/** The revisions in a socket frame; none if it carries no change. */
export function frameRevisions(frame: SocketFrame): Revision[] {
  const custom = frame.entityType as string | undefined;
  if (custom) {
    const id = frame.entityId as string;
    return [frame.entity ? { ...liveRevision(custom, frame.entity as Doc), id } : tombstone(custom, id, frame.deletedAt, frame.version)];
  }
  if (frame.deletedAt) {
    const member = Object.keys(DELETION_MEMBERS).find(name => name in frame);
    return member ? [tombstone(DELETION_MEMBERS[member]!, frame[member] as string, frame.deletedAt, frame.version)] : [];
  }
  return Object.entries(FRAME_MEMBERS).flatMap(([member, type]) => [frame[member] ?? []].flat().map(doc => liveRevision(type, doc as Doc)));
}

/** The id that the server will give a document; undefined if the client must make one. */
export function documentId(type: string, doc: Doc, user: string): string | undefined {
  if (type === 'user_preferences') return user;
  const id = (type === 'repertoire_item' ? (doc.scoreId ?? doc.score_id ?? doc.id) : doc.id) as string | undefined;
  return id && normalizeId(type, id);
}

export const normalizeId = (type: string, id: string): string => (type === 'repertoire_item' ? normalizeScoreId(id) : id);

/** Encodes a text for a header: percent-encoded UTF-8 if it has a percent sign or is not printable ASCII. */
export const headerText = (text: string): string => (/^[ -$&-~]*$/.test(text) ? text : encodeURIComponent(text));

/** Parses JSON. Returns undefined if the text is not JSON. */
export function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

/** Reads the claims of a token. The server verifies the token; the client does not. */
export function claims(token: string): { sub?: string; exp?: number } {
  try {
    const part = token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/');
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), char => char.charCodeAt(0))));
  } catch {
    return {};
  }
}
