/** Addresses in the kernels' memory. */

/** Hands out addresses, each the start of a cache line. */
export class Arena {
  #next: number;

  /** @param start the first byte that is free */
  constructor(start: number) {
    this.#next = start;
  }

  /** The first byte that is free. */
  get end(): number {
    return this.#next;
  }

  /** Takes bytes, and a few beyond them that a vector load may touch. */
  take(bytes: number): number {
    const at = Math.ceil(this.#next / 64) * 64;
    this.#next = at + bytes + 64;
    return at;
  }

  /** Takes as many bytes for each of several. */
  takeEach(count: number, bytes: number): number[] {
    return Array.from({ length: count }, () => this.take(bytes));
  }
}

/** The address of what is not there: a network that is not trained has no gradients. */
export const NOWHERE = 0;
