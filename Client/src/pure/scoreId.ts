/** Normalizes a score id as the server does, docs/protocol.md section 4, so that a piece has the same id everywhere. */
export function normalizeScoreId(id: string): string {
  let normalized = id;
  for (let i = 0; i < 4; i++) {
    const next = normalizeOnce(normalized);
    if (next === normalized) break;
    normalized = next;
  }
  return normalized;
}

function normalizeOnce(raw: string): string {
  const id = raw.trim();
  if (!id || /^score_[A-Za-z0-9_-]+$/i.test(id)) return id;
  const lower = id.toLowerCase();
  const separator = lower.includes('||') ? '||' : '-';
  const at = lower.includes(separator) ? lower.indexOf(separator) : lower.length;
  const first = lower.slice(0, at).trim();
  const second = lower.slice(at + separator.length).trim() || 'unknown';
  return first + (/-|\|\|/.test(`${first} ${second}`) ? '||' : '-') + second;
}
