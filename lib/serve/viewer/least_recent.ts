/**
 * A few values by key; the one that was not asked for the longest gives way to a new one.
 *
 * @module
 */

/** Keeps at most so many values. */
export class LeastRecent<T> {
  readonly #values = new Map<string, T>();

  /** @param most how many are kept */
  constructor(readonly most: number) {}

  /** The value, which is then the most recent. */
  get(key: string): T | undefined {
    const value = this.#values.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  /** Keeps a value. */
  set(key: string, value: T): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.most) this.delete(this.#values.keys().next().value!);
  }

  /** Forgets a value. */
  delete(key: string): void {
    this.#values.delete(key);
  }
}
