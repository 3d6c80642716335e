/** Reproducible random numbers from a seed (mulberry32). */
export class Random {
  constructor(private state: number) {}

  next = (): number => {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };

  below = (bound: number): number => Math.floor(this.next() * bound);

  of = <T>(choices: readonly T[]): T => choices[this.below(choices.length)]!;
}

/** MIRUBATO_SEED=a,b,… runs these again; MIRUBATO_SEEDS=n runs n of them. */
export function seeds(usually: number): number[] {
  if (process.env.MIRUBATO_SEED) return process.env.MIRUBATO_SEED.split(',').map(Number).filter(Number.isInteger);
  return Array.from({ length: Number(process.env.MIRUBATO_SEEDS ?? usually) }, () => Math.floor(Math.random() * 2 ** 31));
}
