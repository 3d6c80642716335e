import { sha256 } from './sha256.js';

const MODULUS = 1n << 128n;

/** A digest that is equal on two sides if they hold the same entities in the same versions, docs/protocol.md section 5. */
export class Digest {
  #sum = 0n;

  add(type: string, id: string, version: number): void {
    this.#sum = (this.#sum + BigInt(`0x${sha256(`${type}\0${id}\0${version}`).slice(0, 32)}`)) % MODULUS;
  }

  toString(): string {
    return this.#sum.toString(16).padStart(32, '0');
  }
}
