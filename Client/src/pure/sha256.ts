// Our own implementation: crypto.subtle is asynchronous, which would end an IndexedDB transaction, and is missing on plain http pages.
const ROUND: number[] = [];
const START: number[] = [];
const w = new Int32Array(64);

// The fractional parts of the cube and square roots of the first primes, as FIPS 180-4 defines them.
const fraction = (x: number): number => ((x % 1) * 2 ** 32) | 0;
for (let candidate = 2; ROUND.length < 64; candidate++) {
  let divisor = 2;
  while (candidate % divisor) divisor++;
  if (divisor < candidate) continue;
  if (START.length < 8) START.push(fraction(Math.sqrt(candidate)));
  ROUND.push(fraction(Math.cbrt(candidate)));
}

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** The hash of a text's UTF-8, as hexadecimal digits. */
export function sha256(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const view = new DataView(new ArrayBuffer((((bytes.length + 8) >> 6) + 1) << 6));
  new Uint8Array(view.buffer).set(bytes);
  view.setUint8(bytes.length, 0x80);
  view.setBigUint64(view.byteLength - 8, BigInt(bytes.length) * 8n);
  let state: readonly number[] = START;
  for (let at = 0; at < view.byteLength; at += 64) {
    let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < 64; i++) {
      const early = w[i - 15]!;
      const late = w[i - 2]!;
      w[i] = i < 16
        ? view.getInt32(at + i * 4)
        : w[i - 16]! + (rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3))
          + w[i - 7]! + (rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10));
      const first = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i]! + w[i]!) | 0;
      const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    state = [a, b, c, d, e, f, g, h].map((word, i) => (word + state[i]!) | 0);
  }
  return hex(state);
}

export const hex = (words: Iterable<number>): string =>
  Array.from(words, word => (word >>> 0).toString(16).padStart(8, '0')).join('');
