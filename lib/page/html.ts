/**
 * Templates for HTML: everything that is put into one is escaped, except markup that was made here.
 */
import { VERSION } from "../version.ts";

/** Markup, which is not escaped again. */
export class Markup {
  /** @param text as it stands in the page */
  constructor(readonly text: string) {}

  /** As it stands in the page. */
  toString(): string {
    return this.text;
  }
}

/**
 * What a template takes: text and numbers, which are escaped; markup; lists; and nothing, as undefined or
 * as false from a condition.
 */
export type Fragment = string | number | Markup | undefined | false | readonly Fragment[];

/**
 * A piece of HTML or SVG.
 *
 * @example
 * ```ts
 * import { markup } from "./html.ts";
 * console.assert(`${markup`<p>${"1 < 2"}</p>`}` === "<p>1 &lt; 2</p>");
 * ```
 */
export function markup(strings: TemplateStringsArray, ...fragments: readonly Fragment[]): Markup {
  const rest = fragments.map((fragment, index) => _text(fragment) + strings[index + 1]);
  return new Markup(strings[0] + rest.join(""));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function _text(fragment: Fragment): string {
  if (fragment === undefined || fragment === false) return "";
  if (fragment instanceof Markup) return fragment.text;
  if (typeof fragment === "object") return fragment.map(_text).join("");
  return String(fragment).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** A whole page. */
export interface Page {
  /** The page's name. */
  title: string;
  /** What stands above everything. */
  header: Fragment;
  /** The content. */
  main: Fragment;
  /** What stands below everything. */
  footer: Fragment;
  /** The page's style sheet. */
  style: string;
  /** True if it holds pictures, as addresses of the kind `data:`. */
  pictures?: boolean;
}

/** A self-contained page in English: no script, nothing fetched. */
export function page(
  { title, header, main, footer, style, pictures = false }: Page,
): string {
  const policy = `default-src 'none'; ${
    pictures ? "img-src data:; " : ""
  }style-src 'unsafe-inline'`;
  // With this policy the browser itself fetches nothing.
  return `<!DOCTYPE html>
${markup`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header>
${header}
</header>
<main>
${main}</main>
<footer>
${footer}
</footer>
</body>
</html>`}
`;
}

/** What stands below pages of results: what made them and when, and what they are not. */
export function imprint(date: Date): Markup {
  const [day, time] = date.toISOString().split("T");
  return markup`<p>Made with MRNet for Deno ${VERSION} on ${day} at ${time.slice(0, 5)} UTC.
Not a medical device: not for diagnosis.</p>`;
}

/** A section of the page under a heading. */
export function section(id: string, heading: string, content: Fragment): Markup {
  return markup`<section aria-labelledby="${id}">
<h2 id="${id}">${heading}</h2>
${content}
</section>
`;
}

/** A table that can be moved sideways where it does not fit, by the keyboard too; see `WIDE_STYLE`. */
export function wide(name: string, content: Markup): Markup {
  return markup`<div class="wide" role="region" aria-label="${name}" tabindex="0">
${content}</div>`;
}

/** What a style sheet needs for {@linkcode wide}. */
export const WIDE_STYLE = `
.wide { overflow-x: auto; }
table + .wide { margin-top: 1.75rem; }
`;

/** Numbers as cells. */
export function numberCells(...values: (number | string)[]): NumberCell[] {
  return values.map((value) => new NumberCell(value));
}

/** Columns side by side if there is room, otherwise one below the other. */
export function sideBySide(...columns: readonly Fragment[]): Markup {
  const boxes = columns.map((column) => markup`<div>${column}</div>\n`);
  return markup`<div class="side-by-side">
${boxes}</div>`;
}

/** A remark that must not be missed. */
export function note(text: string): Markup {
  return markup`<p class="note">${text}</p>`;
}

/** A cell that holds a number and is set right. */
export class NumberCell {
  /** @param content what stands in it */
  constructor(readonly content: Fragment) {}
}

/** A table's cell. */
export type Cell = Fragment | NumberCell;

/** A table. */
export interface Table {
  /** What it shows; read out before it. */
  caption: Fragment;
  /** The names of the columns. */
  head: readonly Cell[];
  /** The rows; the first cell of each is its head. */
  rows: readonly (readonly Cell[])[];
  /** A class for the style sheet. */
  className?: string;
}

/** A table with a caption. */
export function table({ caption, head, rows, className }: Table): Markup {
  const kind = className === undefined ? undefined : markup` class="${className}"`;
  const lines = rows.map(([first, ...cells]) =>
    markup`<tr>${_cell(first, "row")}${cells.map((cell) => _cell(cell))}</tr>\n`
  );
  return markup`<table${kind}>
<caption>${caption}</caption>
<thead><tr>${head.map((cell) => _cell(cell, "col"))}</tr></thead>
<tbody>
${lines}</tbody>
</table>`;
}

function _cell(cell: Cell, scope?: "col" | "row"): Markup {
  const isNumber = cell instanceof NumberCell;
  const content = isNumber ? cell.content : cell;
  const kind = isNumber ? markup` class="number"` : undefined;
  if (scope === undefined) return markup`<td${kind}>${content}</td>`;
  return markup`<th scope="${scope}"${kind}>${content}</th>`;
}
