/**
 * A list of any length, of which only the rows in sight and around it are in the document. Those that are
 * there say which of how many they are, so that a screen reader counts as if all were.
 */

/** How high a row is, in pixels. */
const ROW = 33;

/** What is free above the first row and below the last one, in pixels; as in page.css. */
const PADDING = 2;

/** How many rows are kept above and below those in sight. */
const BEYOND = 8;

/** The rows of a listbox that scrolls. */
export class VirtualRows {
  #list;
  #rowOf;
  #count = 0;
  #chosen = -1;

  /**
   * @param {HTMLElement} list
   * @param {(index: number) => HTMLElement} rowOf gives a row's element, the same one for what is the same
   */
  constructor(list, rowOf) {
    this.#list = list;
    this.#rowOf = rowOf;
    list.style.setProperty("--row", `${ROW}px`);
    list.addEventListener("scroll", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(list);
  }

  /**
   * Shows rows.
   *
   * @param {number} count how many there are
   * @param {number} chosen the one that stays in the document wherever the list is scrolled to, as
   *   `aria-activedescendant` names it; -1 for none
   */
  show(count, chosen) {
    // All rows inherit it: setting it has all of them styled anew.
    if (count !== this.#count) this.#list.style.setProperty("--rows", count);
    this.#count = count;
    this.#chosen = chosen;
    this.#draw();
  }

  /** Scrolls to the chosen row. The list alone: `scrollIntoView` would move the page too. */
  reveal() {
    if (this.#chosen === -1) return;
    const list = this.#list;
    const above = this.#chosen * ROW;
    const below = above + ROW - visibleHeight(list);
    list.scrollTop = Math.min(Math.max(list.scrollTop, below), above);
    this.#draw();
  }

  #draw() {
    const { scrollTop } = this.#list;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - BEYOND);
    const bottom = Math.ceil((scrollTop + visibleHeight(this.#list)) / ROW) + BEYOND;
    const end = Math.min(this.#count, bottom);
    const indexes = Array.from({ length: Math.max(0, end - first) }, (_, row) => first + row);
    if (this.#chosen !== -1 && this.#chosen < first) indexes.unshift(this.#chosen);
    if (this.#chosen >= Math.max(first, end)) indexes.push(this.#chosen);
    arrange(this.#list, indexes.map((index) => this.#placed(index)));
  }

  #placed(index) {
    const row = this.#rowOf(index);
    const [at, of] = [`${index + 1}`, `${this.#count}`];
    if (row.ariaPosInSet !== at) {
      row.ariaPosInSet = at;
      row.style.setProperty("--at", index);
    }
    if (row.ariaSetSize !== of) row.ariaSetSize = of;
    return row;
  }
}

/** The height in which rows are seen, without what is above the first and below the last one. */
function visibleHeight(list) {
  return list.clientHeight - 2 * PADDING;
}

/** Makes these the list's rows, in this order; those that need not move are not touched. */
function arrange(list, rows) {
  const wanted = new Set(rows);
  for (const row of [...list.children]) if (!wanted.has(row)) row.remove();
  let next = list.firstElementChild;
  for (const row of rows) {
    if (row === next) next = next.nextElementSibling;
    else list.insertBefore(row, next);
  }
}
