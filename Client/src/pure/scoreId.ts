/** The server's spelling of a score id, PROTOCOL.md section 4, so that a piece has one id here and there. */
export function normalizeScoreId(id: string): string {
  let spelled = id;
  for (let i = 0; i < 4; i++) {
    const next = once(spelled);
    if (next === spelled) break;
    spelled = next;
  }
  return spelled;
}

function once(raw: string): string {
  const id = raw.trim();
  if (!id || /^score_[A-Za-z0-9_-]+$/i.test(id)) return id;
  const lower = id.toLowerCase();
  const separator = lower.includes('||') ? '||' : '-';
  const at = lower.includes(separator) ? lower.indexOf(separator) : lower.length;
  const first = lower.slice(0, at).trim();
  const second = lower.slice(at + separator.length).trim() || 'unknown';
  return first + (/-|\|\|/.test(`${first} ${second}`) ? '||' : '-') + second;
}
