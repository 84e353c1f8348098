/**
 * What the commands write to: results to standard output, everything else to standard error, and on
 * a terminal one line at the bottom that shows how far things are.
 *
 * Names of files and texts out of them are shown as they are given here, so whatever would command a
 * terminal is escaped in this file, and nothing else writes to one.
 *
 * @module
 */
import { ODD_HINT } from "../data/oddity.ts";
import { messageOf, OutputError, withoutControls } from "../errors.ts";
import { type Progress, progressLine } from "../logs/progress.ts";

const encoder = new TextEncoder();

/** How often the line at the bottom is drawn, in milliseconds. */
const REDRAW_MS = 100;

let shown = false;
let drawn = 0;

/** Writes a line of the result; one line, whatever is in it. */
export function print(line = ""): void {
  _clear();
  _write(Deno.stdout, `${withoutControls(line)}\n`);
}

/** Writes a remark of one line. */
export function remark(line: string): void {
  _clear();
  _write(Deno.stderr, `${withoutControls(line)}\n`);
}

/** What is said of an exam that is answered though it is odd; see {@linkcode oddityOf}. */
export function oddRemark(path: string, odd: string): string {
  return `Do not rely on the answer for '${path}': ${odd}: ${ODD_HINT}`;
}

/** Writes lines of our own, such as a command's help. What comes from outside has no place in them. */
export function printLines(text: string): void {
  for (const line of text.split("\n")) print(line);
}

/**
 * Text with its lines broken between words; what is broken off is indented as its line is. Lines without
 * indent that follow each other are one paragraph, unless one begins with a title: `Permissions:`.
 *
 * @param width no line is longer, unless a word is
 */
export function wrapped(text: string, width: number): string {
  const whole = text.replace(/(?<=[^\s])\n(?=[^\s])(?![A-Z]\w+:)/g, (end, at: number) => {
    const begin = text.lastIndexOf("\n", at - 1) + 1;
    return text[begin] === " " ? end : " ";
  });
  return whole.split("\n").flatMap((line) => {
    const indent = /^ */.exec(line)![0];
    const lines: string[] = [];
    let rest = line;
    while (rest.length > width) {
      let at = rest.lastIndexOf(" ", width);
      // A word that is wider than the line stands alone.
      if (at < indent.length + 1) at = rest.indexOf(" ", indent.length + 1);
      if (at < 0) break;
      lines.push(rest.slice(0, at).trimEnd());
      rest = indent + rest.slice(at).trimStart();
    }
    return [...lines, rest];
  }).join("\n");
}

/** The same as remarks. */
export function remarkLines(text: string): void {
  for (const line of text.split("\n")) remark(line);
}

/** True where somebody watches, so that progress is shown as a line that changes. */
export function isWatched(): boolean {
  return Deno.stderr.isTerminal();
}

/** Shows how far things are; does nothing where nobody watches. */
export function showProgress(progress: Progress): void {
  const now = performance.now();
  if (!isWatched() || (progress.done < progress.total && now - drawn < REDRAW_MS)) return;
  drawn = now;
  const line = withoutControls(progressLine(progress, columns()));
  _write(Deno.stderr, `\r\x1b[2K${line}`);
  shown = true;
}

/** Takes the progress line away. */
export function endProgress(): void {
  _clear();
}

function _clear(): void {
  if (!shown) return;
  _write(Deno.stderr, "\r\x1b[2K");
  shown = false;
}

/** How many columns the terminal has; 80 without one. */
export function columns(): number {
  try {
    // A terminal without a size, as containers give one, says 0.
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** Whoever read the results has left, as `head` does. */
export class ReaderLeft extends Error {}

let readers = 0;

/**
 * Ends the command at hand once nobody reads its results: for those that leave nothing but what they
 * print. Others go on to the end of their work. In force until it is disposed of.
 */
export function endWithReader(): Disposable {
  readers++;
  return { [Symbol.dispose]: () => void readers-- };
}

function _write(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
  } catch (error) {
    // Of remarks nothing can be said any more.
    if (stream === Deno.stderr) return;
    if (!(error instanceof Deno.errors.BrokenPipe)) {
      throw new OutputError(
        `Cannot write the results to standard output: ${messageOf(error)}: ` +
          "send them where there is room",
      );
    }
    if (readers > 0) throw new ReaderLeft();
  }
}
