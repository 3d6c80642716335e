import type { Doc } from '../types.js';
import { canonical } from './canonical.js';

type Members = ReadonlyMap<string, unknown>;

/** Members that are merged as one: two spellings of one thing, and members that make sense only beside each other. */
const ALIASES = [['goalIds', 'goal_ids'], ['createdAt', 'created_at'], ['updatedAt', 'updated_at'], ['planId', 'plan_id']];
const SCORE = ['composer', 'scoreComposer', 'scoreId', 'scoreTitle', 'score_id'];
const TOGETHER: Readonly<Record<string, string[][]>> = {
  logbook_entry: [...ALIASES, SCORE],
  repertoire_item: [...ALIASES, SCORE],
  goal: [...ALIASES, ['currentValue', 'progress', 'status', 'targetValue']],
};

/**
 * Puts what `incoming` changed from `basis` into `current`, member by member, as the server merges (docs/protocol.md, Merge of fields).
 * `incoming` is the later edit, so it wins where both changed one member.
 */
export function mergeMembers(type: string, basis: Doc, current: Doc, incoming: Doc): Doc {
  const groups = (Object.hasOwn(TOGETHER, type) && TOGETHER[type]) || ALIASES;
  const read = (doc: Doc): Members =>
    new Map(Object.entries(doc).map(([name, value]) => [name, type === 'logbook_entry' && name === 'pieces' ? new Pieces(value) : value]));
  return unite(read(basis), read(current), read(incoming), groups);
}

function unite(basis: Members, current: Members, incoming: Members, groups: readonly string[][]): Doc {
  const merged = new Map(current);
  for (const name of new Set([...incoming.keys(), ...basis.keys()])) {
    const group = groups.find(names => names.includes(name)) ?? [name];
    const isLike = (other: Members) => group.every(member => isSame(incoming.get(member), other.get(member)));
    if (isLike(basis) || isLike(current)) continue;
    const inside = [basis, current, incoming].map(members => members.get(name));
    if (group.length === 1 && inside.every(isObject)) {
      const [from, to, sent] = inside.map(value => new Map(Object.entries(value as Doc))) as Members[] as [Members, Members, Members];
      merged.set(name, unite(from, to, sent, []));
    } else for (const member of group) {
      if (incoming.has(member)) merged.set(member, incoming.get(member));
      else merged.delete(member);
    }
  }
  return Object.fromEntries([...merged].map(([name, value]) => [name, value instanceof Pieces ? value.list : value]));
}

/** The pieces of an entry, which are compared without their ids. */
class Pieces {
  constructor(readonly list: unknown) {}

  get content(): unknown {
    return Array.isArray(this.list) ? this.list.map(piece => (isObject(piece) ? { ...piece, id: null } : piece)) : this.list;
  }
}

/** Whether two values are equal in their canonical form. An absent member equals `null`. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || canonical(withoutNulls(one)) === canonical(withoutNulls(other));
}

function withoutNulls(value: unknown): unknown {
  if (value instanceof Pieces) return withoutNulls(value.content);
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value ?? null;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]));
}

const isObject = (value: unknown): value is Doc =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Pieces);
