/**
 * Sets a process on one reader with many mutated files, and finds out by which file it fell if it
 * crashed, hung, took too much memory or answered wrongly.
 */
import type { CampaignReport } from "./campaign.ts";

/** Which reader, and how many files. */
export interface HuntOptions {
  /** The reader's name. */
  reader: string;
  /** What all mutations are drawn from. */
  seed: number;
  /** The number of the first file. */
  first?: number;
  /** How many files. */
  count: number;
  /**
   * The module that exports `fuzzReaders`.
   * @default this toolkit's own readers
   */
  module?: string;
  /**
   * A process that has been at one file for so long is ended, in milliseconds. The limit of 1 s is
   * kept by the process itself, in processor time, as long as it can.
   * @default 60000
   */
  hangMs?: number;
}

/** A file by which a reader fell. */
export interface Catch {
  /** The number of the file. */
  index: number;
  /** What happened. */
  message: string;
  /** Where, if that is known. */
  stack?: string;
}

/** What came of a hunt: numbers, or a file. */
export type HuntResult = { report: CampaignReport } | { caught: Catch };

const READERS = new URL("./readers.ts", import.meta.url).href;
const CHILD = new URL("./child.ts", import.meta.url).pathname;

/** How often the process is looked at, in milliseconds. */
const LOOK_MS = 100;

/** Before its first file a process has so long to start, in milliseconds. */
const START_MS = 60_000;

/**
 * Room for what lives long on the heap, in MB: a reader that fills it ends the process, where
 * otherwise it would take the machine's memory. What is short-lived is kept small, too, so that the
 * process's peak says what files cost and not how rarely garbage was collected.
 */
const V8_FLAGS = "--v8-flags=--expose-gc,--max-old-space-size=256,--max-semi-space-size=4";

/** Hunts. */
export async function hunt(options: HuntOptions): Promise<HuntResult> {
  const { reader, seed, first = 0, count, module = READERS, hangMs = 60_000 } = options;
  const beat = await Deno.makeTempFile({ prefix: "mrnet-fuzz-", suffix: ".beat" });
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "-A", V8_FLAGS, CHILD, module, reader],
        ...[seed, first, count].map(String),
        beat,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let ended = false;
    const output = child.output().finally(() => ended = true);
    let [index, since] = [-1, performance.now()];
    let hung = false;
    while (!ended && !hung) {
      await Promise.race([output, new Promise((resolve) => setTimeout(resolve, LOOK_MS))]);
      const now = await _currentCase(beat);
      if (now !== index) [index, since] = [now, performance.now()];
      hung = !ended && performance.now() - since > (index < 0 ? START_MS : hangMs);
    }
    if (hung) child.kill("SIGKILL");
    const { stdout, stderr, code, signal } = await output;
    if (hung) return { caught: { index, message: `did not end within ${hangMs} ms` } };
    const text = new TextDecoder().decode(stdout);
    if (code !== 0) {
      const reason = new TextDecoder().decode(stderr).trim().split("\n").slice(-12).join("\n");
      const message = `ended the process with ${signal ?? `exit code ${code}`}`;
      return { caught: { index: await _currentCase(beat), message, stack: reason } };
    }
    const result = JSON.parse(text);
    return "report" in result ? result : { caught: result };
  } finally {
    await Deno.remove(beat);
  }
}

/** The number of the file that the process is at; −1 before the first. */
async function _currentCase(beat: string): Promise<number> {
  const bytes = await Deno.readFile(beat);
  return bytes.length < 8 ? -1 : new DataView(bytes.buffer).getFloat64(0) - 1;
}
