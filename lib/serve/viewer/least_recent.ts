/** A few values by key. A new value replaces the one that was not used for the longest time. */

/** What is kept. */
export interface LeastRecentOptions<T> {
  /** How many values at most. */
  most: number;
  /**
   * How large they are together at most; a single value may be larger.
   * @default any size
   */
  mostSize?: number;
  /** How large a value is. */
  sizeOf?: (value: T) => number;
  /** Called with the key of a value that was removed. */
  onForget?: (key: string) => void;
}

/** Keeps at most so many values. */
export class LeastRecent<T> {
  readonly #values = new Map<string, T>();
  readonly #options: LeastRecentOptions<T>;

  /** @param options how many are kept */
  constructor(options: LeastRecentOptions<T>) {
    this.#options = options;
  }

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
    for (const oldest of this.#values.keys()) {
      if (oldest === key || this.#fits()) break;
      this.#values.delete(oldest);
      this.#options.onForget?.(oldest);
    }
  }

  /** Forgets a value. */
  delete(key: string): void {
    this.#values.delete(key);
  }

  #fits(): boolean {
    const { most, mostSize = Infinity, sizeOf = () => 0 } = this.#options;
    const size = this.#values.values().reduce((sum, value) => sum + sizeOf(value), 0);
    return this.#values.size <= most && size <= mostSize;
  }
}
