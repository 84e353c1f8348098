/** How a plane's image lies on its stage: how much it is enlarged, and which region of it is seen. */

const MAX_SCALE = 16;

/** An enlarged image; it always covers its stage. */
export class Zoom {
  /** How many times as large as the whole image on its stage, 1–16. */
  scale = 1;
  /** How far its middle is from the stage's, right and down, in shares of the stage. */
  #right = 0;
  #down = 0;

  /**
   * Enlarges it around a point that stays where it is.
   *
   * @param {number} factor
   * @param {{ right: number, down: number }} [around] from the stage's middle, in shares of the stage
   */
  by(factor, { right, down } = { right: 0, down: 0 }) {
    const before = this.scale;
    this.scale = Math.min(Math.max(before * factor, 1), MAX_SCALE);
    const grown = this.scale / before;
    this.#moveTo(right - grown * (right - this.#right), down - grown * (down - this.#down));
  }

  /** Moves it, in shares of the stage. */
  move(right, down) {
    this.#moveTo(this.#right + right, this.#down + down);
  }

  /** Shows the whole image. */
  reset() {
    this.scale = 1;
    this.#moveTo(0, 0);
  }

  /** Where on the stage a point of the image is, both in shares from the left upper corner. */
  at(x, y) {
    return {
      x: 0.5 + this.#right + this.scale * (x - 0.5),
      y: 0.5 + this.#down + this.scale * (y - 0.5),
    };
  }

  /** As CSS has it. */
  get transform() {
    if (this.scale === 1) return "";
    return `translate(${100 * this.#right}%, ${100 * this.#down}%) scale(${this.scale})`;
  }

  /** As it is said, such as `150 %`. */
  get words() {
    return `${Math.round(100 * this.scale)} %`;
  }

  #moveTo(right, down) {
    const most = (this.scale - 1) / 2;
    this.#right = Math.min(Math.max(right, -most), most);
    this.#down = Math.min(Math.max(down, -most), most);
  }
}
