/**
 * The output of the commands: results to standard output, everything else to standard error. On a
 * terminal, one line at the bottom shows the progress.
 *
 * Callers pass names of files and texts from files unescaped. This file escapes whatever would control a
 * terminal, and nothing else writes to one.
 */
import { ODD_HINT } from "../data/oddity.ts";
import { messageOf, OutputError, withoutControls } from "../errors.ts";
import { type Progress, progressLine } from "../logs/progress.ts";

const encoder = new TextEncoder();

/** How often the line at the bottom is drawn, in milliseconds. */
const REDRAW_MS = 100;

let shown = false;
let drawn = 0;

/** Writes one line of the result; line breaks in it are escaped. */
export function print(line = ""): void {
  _clear();
  _write(Deno.stdout, `${withoutControls(line)}\n`);
}

/** Writes a remark of one line. */
export function remark(line: string): void {
  _clear();
  _write(Deno.stderr, `${withoutControls(line)}\n`);
}

/** The remark about an odd exam that is answered all the same; see {@linkcode oddityOf}. */
export function oddRemark(path: string, odd: string): string {
  return `Do not rely on the answer for '${path}': ${odd}: ${ODD_HINT}`;
}

/** Writes lines of the toolkit's own text, such as a command's help; never text from outside. */
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

/** Whether standard error is a terminal, so that progress can be shown. */
export function isWatched(): boolean {
  return Deno.stderr.isTerminal();
}

/** Shows the progress, if there is a terminal. */
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
    // A terminal in a container may have no size, which reads as 0.
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** Thrown if the reader of the results has closed the pipe, as `head` does. */
export class ReaderLeft extends Error {}

let readers = 0;

/**
 * Ends the command once nobody reads its output. It is for commands that only print; others continue to
 * the end of their work. In force until it is disposed of.
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
    // Nobody reads remarks any more, so the failure is ignored.
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
