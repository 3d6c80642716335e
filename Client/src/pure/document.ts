import type { Doc } from '../types.js';
import { documentId, isProtocolType, normalizeId } from './wire.js';

const DEPTH_MAX = 64;
export const ID_RULE = 'a text of 1 to 256 characters is needed';
const RESERVED_NAME = 'the protocol reserves this name';
const UNUSABLE = /[\p{Cc}\p{Cs}]/u;

/** Whether a text can be the id of an entity or a device; see docs/protocol.md section 2. */
export const isValidId = (id: unknown): id is string => typeof id === 'string' && id.length > 0 && id.length <= 256 && !UNUSABLE.test(id);

export function requireId(id: unknown): string {
  if (!isValidId(id)) throw rejection('id', ID_RULE);
  return id;
}

/**
 * Copies a document as JSON, under the id that the server will use. Throws for members that the server would drop, overwrite or read as a
 * deletion.
 */
export function validateDocument(type: string, given: object, user: string, makeId: () => string): Doc & { id: string } {
  const doc = (Object(given) === given ? jsonCopy(given) : given) as Doc;
  if (Object(doc) !== doc || Array.isArray(doc)) throw new TypeError('A document must be an object.');
  for (const name of ['deletedAt', 'deleted_at', 'baseVersion']) if (doc[name] != null) throw rejection(name, RESERVED_NAME);
  for (
    const name of isProtocolType(type)
      ? ['user_id', 'userId']
      : ['user_id']) if ((doc[name] ?? user) !== user) throw rejection(name, RESERVED_NAME);
  if (!Number.isInteger(doc.version ?? 0)) throw rejection('version', RESERVED_NAME);
  return { ...doc, id: requireId(documentId(type, doc, user) ?? normalizeId(type, makeId())) };
}

/** Copies a value as JSON. A member that is `undefined` is left out. */
function jsonCopy(value: unknown, path = '', depth = 1): unknown {
  const { toJSON } = Object(value) as { toJSON?: () => unknown };
  const json = typeof toJSON === 'function' ? toJSON.call(value) : value;
  if (typeof json === 'string' || typeof json === 'boolean' || Number.isFinite(json) || (json === null && value === null)) return json;
  if (Object(json) === json && depth > DEPTH_MAX) throw rejection(path, `it is nested deeper than ${DEPTH_MAX} levels`);
  if (Array.isArray(json)) return Array.from(json, (element, i) => jsonCopy(element, `${path}[${i}]`, depth + 1));
  if (!isPlain(json)) throw rejection(path, `JSON cannot say ${Object(json) === json ? (json as object).constructor.name : String(json)}`);
  const members = Object.entries(json).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, jsonCopy(member, path ? `${path}.${name}` : name, depth + 1)]));
}

/** Whether an object is plain. JSON would drop part of a class instance, a Map or a Blob. */
function isPlain(value: unknown): value is object {
  const prototype = Object(value) === value ? Object.getPrototypeOf(value) : undefined;
  return prototype === null || (prototype !== undefined && Object.getPrototypeOf(prototype) === null);
}

const rejection = (path: string, why: string): TypeError => new TypeError(`${path || 'The document'} cannot be stored: ${why}.`);
