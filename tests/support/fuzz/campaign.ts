/**
 * Many mutated files for one reader, one after the other in this process: each is timed, and what it
 * costs in memory is measured.
 *
 * Memory is measured in two ways. The peak of the resident size, which Linux keeps for every process,
 * says what all files together ever took at once, and so bounds what any of them took; where there is
 * no such number the resident size after each file stands in for it. The growth of the heap, and of
 * the memory outside it in which array buffers lie, says after each file what it left that is not yet
 * collected; it points at the file where the peak only tells that there was one.
 */
import { caseBytes, Fault, type FuzzReader, type Outcome, readCase, readCaseFile } from "./case.ts";

/** A file may take so long, in milliseconds. */
export const MAX_MS = 1000;

/** A file may take so much memory beyond its own size, in bytes. */
export const MAX_BYTES = 64 * 1024 * 1024;

/** Every so many files one goes by way of the disk, and garbage is collected. */
const SAMPLE = 256;

/** Which files. */
export interface CampaignOptions {
  /** What all mutations are drawn from. */
  seed: number;
  /** The first file's number. */
  first: number;
  /** How many. */
  count: number;
  /** Told the number of each file before it is read. */
  onCase?: (index: number) => void;
}

/** What came of it. */
export interface CampaignReport {
  /** Files that gave an answer. */
  answered: number;
  /** Files that were refused. */
  refused: number;
  /** Files that were also read from disk. */
  onDisk: number;
  /** The longest time of a file, milliseconds. */
  slowestMs: number;
  /** The most that one file left uncollected beyond its own size, bytes. */
  mostLeft: number;
  /** How far the peak of the process's resident size rose, bytes. */
  peakGrowth: number;
}

/** A file that a reader cannot cope with. */
export class CaseFault extends Fault {
  constructor(message: string, readonly index: number, cause?: unknown) {
    super(message, { cause });
  }
}

/**
 * Reads mutated files.
 *
 * @throws {CaseFault} at the first file that breaks a promise
 */
export async function campaign(
  reader: FuzzReader,
  { seed, first, count, onCase }: CampaignOptions,
): Promise<CampaignReport> {
  const report = { answered: 0, refused: 0, onDisk: 0, slowestMs: 0, mostLeft: 0, peakGrowth: 0 };
  // What is allocated once, such as compiled code, is not any file's.
  if (!reader.asTheyAre) {
    for (const { bytes, wrap } of reader.seeds) {
      await attempt(() => reader.read(wrap?.(bytes) ?? bytes));
    }
  }
  collectGarbage();
  let peak = forgetPeak();
  let highest = 0;
  for (let index = first; index < first + count; index++) {
    const bytes = caseBytes(reader, seed, index);
    if (reader.asTheyAre || reader.behind !== undefined) {
      // What it took to make the file, or to read a large one before it, is not what this one takes.
      collectGarbage();
      peak = forgetPeak();
      highest = 0;
    }
    onCase?.(index);
    try {
      const { outcome, ms, left } = await measured(reader, bytes);
      report[outcome]++;
      report.slowestMs = Math.max(report.slowestMs, ms);
      report.mostLeft = Math.max(report.mostLeft, left);
      if ((index - first) % SAMPLE === 0) {
        if (await _readBack(reader, bytes, outcome)) report.onDisk++;
        // What zlib has taken is given back when the event loop has its turn.
        await new Promise((resolve) => setTimeout(resolve, 0));
        collectGarbage();
      }
      const growth = peakResident() - peak;
      report.peakGrowth = Math.max(report.peakGrowth, growth);
      // A peak is of the file that raised it, and stays when smaller ones follow.
      if (growth <= highest) continue;
      highest = growth;
      if (growth > MAX_BYTES + bytes.length + (reader.behind ?? 0)) {
        throw new Fault(`raised the peak of the process by ${growth} bytes`);
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw new CaseFault(error.message, index, error.cause);
    }
  }
  return report;
}

/** Reads one file with a watch and a scale. */
async function measured(reader: FuzzReader, bytes: Uint8Array) {
  const before = memory();
  const [start, worked] = [performance.now(), cpuMs()];
  const outcome = await readCase(reader, bytes);
  // On a machine with other work much of the time may be somebody else's.
  const ms = Math.min(performance.now() - start, cpuMs() - worked);
  const left = memory() - before - bytes.length - (reader.behind ?? 0);
  if (ms > MAX_MS) throw new Fault(`took ${Math.round(ms)} ms`);
  if (left > MAX_BYTES) throw new Fault(`left ${left} bytes beyond the file's ${bytes.length}`);
  return { outcome, ms, left };
}

/** The processor time of this process, milliseconds. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Reads the same bytes from a file; the outcome must not change. */
async function _readBack(reader: FuzzReader, bytes: Uint8Array, outcome: Outcome) {
  if (reader.readFile === undefined) return false;
  const path = await Deno.makeTempFile({ prefix: "mrnet-fuzz-", suffix: reader.extension });
  try {
    await Deno.writeFile(path, bytes);
    if (reader.behind !== undefined) await Deno.truncate(path, bytes.length + reader.behind);
    const fromFile = await readCaseFile(reader, path);
    // What a name promises is checked for files only, so bytes may pass where the file does not.
    if (fromFile === "answered" && outcome === "refused") {
      throw new Fault("was refused as bytes and answered as a file");
    }
    return true;
  } finally {
    await Deno.remove(path);
  }
}

function memory(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

function peakResident(): number {
  if (Deno.build.os !== "linux") return Deno.memoryUsage().rss;
  const status = Deno.readTextFileSync("/proc/self/status");
  return 1024 * Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1]);
}

/** Lets the peak begin at the resident size of now, where the system can; gives the peak. */
function forgetPeak(): number {
  if (Deno.build.os === "linux") {
    try {
      Deno.writeTextFileSync("/proc/self/clear_refs", "5");
    } catch {
      // Not every system lets it be forgotten.
    }
  }
  return peakResident();
}

/** Collects garbage where V8 was told to let itself be asked, so that one file pays for no other. */
function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

async function attempt(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch {
    // A fixture may be one that is refused.
  }
}
