import type { Doc } from '../types.js';
import { idOf, isNamed, spelled } from './wire.js';

const DEPTH_MAX = 64;
export const USABLE = 'a text of 1 to 256 characters is needed';
const RESERVED = 'the protocol reserves this name';
const UNUSABLE = /[\p{Cc}\p{Cs}]/u;

/** What an entity, or a device, can be called; see PROTOCOL.md section 2. */
export const isUsable = (id: unknown): id is string => typeof id === 'string' && id.length > 0 && id.length <= 256 && !UNUSABLE.test(id);

export function usable(id: unknown): string {
  if (!isUsable(id)) throw refused('id', USABLE);
  return id;
}

/** The document as JSON has it, under the id the server will know it by. What the server would empty, drop, overwrite or take for a deletion is refused. */
export function checked(type: string, given: object, user: string, makeId: () => string): Doc & { id: string } {
  const doc = (Object(given) === given ? asJson(given) : given) as Doc;
  if (Object(doc) !== doc || Array.isArray(doc)) throw new TypeError('A document is an object.');
  for (const name of ['deletedAt', 'deleted_at', 'baseVersion']) if (doc[name] != null) throw refused(name, RESERVED);
  for (const name of isNamed(type) ? ['user_id', 'userId'] : ['user_id']) if ((doc[name] ?? user) !== user) throw refused(name, RESERVED);
  if (!Number.isInteger(doc.version ?? 0)) throw refused('version', RESERVED);
  return { ...doc, id: usable(idOf(type, doc, user) ?? spelled(type, makeId())) };
}

/** A copy of what JSON can say. A member that is `undefined` is none, as in JSON. */
function asJson(value: unknown, path = '', depth = 1): unknown {
  const { toJSON } = Object(value) as { toJSON?: () => unknown };
  const said = typeof toJSON === 'function' ? toJSON.call(value) : value;
  if (typeof said === 'string' || typeof said === 'boolean' || Number.isFinite(said) || (said === null && value === null)) return said;
  if (Object(said) === said && depth > DEPTH_MAX) throw refused(path, `it is nested deeper than ${DEPTH_MAX} levels`);
  if (Array.isArray(said)) return Array.from(said, (element, i) => asJson(element, `${path}[${i}]`, depth + 1));
  if (!isPlain(said)) throw refused(path, `JSON cannot say ${Object(said) === said ? (said as object).constructor.name : String(said)}`);
  const members = Object.entries(said).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, asJson(member, path ? `${path}.${name}` : name, depth + 1)]));
}

/** What has nothing but its members: of a class, a Map or a Blob JSON keeps less than there is. */
function isPlain(value: unknown): value is object {
  const prototype = Object(value) === value ? Object.getPrototypeOf(value) : undefined;
  return prototype === null || (prototype !== undefined && Object.getPrototypeOf(prototype) === null);
}

const refused = (path: string, why: string): TypeError => new TypeError(`${path || 'The document'} cannot be stored: ${why}.`);
