/**
 * Slurm: the units as tasks of job arrays, and a job that gathers their results once all are done.
 *
 * A job's name says whose it is: that of the plan in its folder, then the unit of the array's task 0. So
 * what is in the queue is known from the queue itself, whoever submitted it.
 */
import { OptionError, SubmitError } from "../../errors.ts";
import { join, makeFolder, sha256Of, writeWhole } from "../../files.ts";
import { shellQuoted } from "../../invocation.ts";
import type { Submission, SubmitEngine, SubmitRequest } from "./engine.ts";
import { runProgram } from "./program.ts";
import { rangesOf } from "./ranges.ts";
import { gatherScript, unitScript } from "./slurm_scripts.ts";

const UNIT_SCRIPT = "unit.sbatch";
const GATHER_SCRIPT = "gather.sbatch";

/** The folder of the logs in the plan's. */
const LOGS = "slurm";

/** What a cluster's `MaxArraySize` is unless it says otherwise: tasks are numbered below it. */
const MAX_ARRAY_SIZE = 1001;

const PROGRAMS = ["sbatch", "squeue", "scontrol"];

/** The options of `sbatch` that are chosen here. */
const OWN_OPTIONS = ["--array", "-a", "--job-name", "-J", "--chdir", "-D", "--wrap", "--parsable"];

/** The states in which a job does nothing any more. */
const ENDED = [
  ...["BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY"],
  ...["PREEMPTED", "REVOKED", "TIMEOUT"],
];

/** An array that is to be submitted. */
interface ArrayJob {
  /** The number of the unit that task 0 would do. */
  first: number;
  /** The numbers of its units. */
  units: number[];
}

/** What the queue has of a plan. */
interface Queued {
  /** The numbers of the units. */
  units: ReadonlySet<number>;
  /** The numbers of the jobs that do them. */
  jobs: string[];
  /** Whether a job waits to gather. */
  gather: boolean;
}

/** Slurm. */
export const slurm: SubmitEngine = {
  title: "Slurm",
  takes: ["sbatch"],
  async submit(request) {
    const { folder, open, options: { print = false, sbatch = [] } } = request;
    _checkOptions(sbatch);
    const name = await _nameOf(request);
    // Known at once: a cluster that is not there, and a permission that is missing.
    if (!print) await _run(folder, "sbatch", "--version");
    const queue: Queued = print
      ? { units: new Set(), jobs: [], gather: false }
      : await _queue(folder, name);
    const numbers = open.map(({ index }) => index);
    const missing = numbers.filter((index) => !queue.units.has(index));
    const queued = numbers.filter((index) => queue.units.has(index));
    const before = { queued, submitted: [], jobs: [], files: [], commands: [] };
    if (missing.length === 0 && queue.gather) return before;
    const size = print ? MAX_ARRAY_SIZE : await _maxArraySize(folder);
    const files = await _writeScripts(request, name);
    const arrays = arraysOf(missing, size);
    const commands = { folder, name, sbatch };
    if (print) return { ...before, files, commands: _commands(commands, arrays) };
    return { ...before, files, ...await _submit(commands, arrays, queue) };
  },
};

/** Splits units into arrays whose tasks are numbered below `size`. */
export function arraysOf(units: readonly number[], size: number): ArrayJob[] {
  const arrays: ArrayJob[] = [];
  for (const unit of units) {
    const first = Math.floor(unit / size) * size;
    if (arrays.at(-1)?.first === first) arrays.at(-1)!.units.push(unit);
    else arrays.push({ first, units: [unit] });
  }
  return arrays;
}

function _checkOptions(sbatch: readonly string[]): void {
  if (sbatch.length > 0 && !sbatch[0].startsWith("-")) {
    throw new OptionError(
      `Cannot give sbatch '${
        sbatch[0]
      }': its options begin with - or --: write -- --partition=long`,
    );
  }
  const own = sbatch.find((option) =>
    OWN_OPTIONS.some((name) =>
      option === name ||
      (name.startsWith("--") ? option.startsWith(`${name}=`) : _isShort(option, name))
    )
  );
  if (own === undefined) return;
  throw new OptionError(
    `Cannot give sbatch '${own}': arrays, names and folders of the jobs follow from the plan: leave it out`,
  );
}

/** Whether an option is this short one with its value behind it: `-a0-8`. */
function _isShort(option: string, name: string): boolean {
  return option.startsWith(name) && !option.startsWith("--");
}

/** What the jobs of a plan are called: other plans', and a copy's in another folder, are called otherwise. */
async function _nameOf({ folder, sha256 }: SubmitRequest): Promise<string> {
  const text = `${sha256} ${await Deno.realPath(folder)}`;
  return `mrnet-${(await sha256Of(new TextEncoder().encode(text))).slice(0, 10)}`;
}

/** Runs a program of Slurm. */
async function _run(folder: string, program: string, ...args: string[]): Promise<string> {
  return await runProgram(program, args, {
    what: `submit the plan '${folder}' to Slurm`,
    absent: "submit where the cluster takes jobs, or only write the scripts with --print",
    programs: PROGRAMS,
  });
}

/** What the queue has of a plan. */
async function _queue(folder: string, name: string): Promise<Queued> {
  const columns = ["--array", "--noheader", "--states=all", "--format=%j|%F|%K|%T"];
  return parseQueue(await _run(folder, "squeue", ...columns), name);
}

/**
 * Reads what `squeue` prints: name, job, task and state of each task.
 *
 * @param name that of the plan's jobs
 */
export function parseQueue(text: string, name: string): Queued {
  const units = new Set<number>();
  const jobs = new Set<string>();
  let gather = false;
  for (const line of text.split("\n")) {
    const [job, id, task, state] = line.trim().split("|");
    if (!job.startsWith(`${name}-`) || ENDED.includes(state)) continue;
    if (job === `${name}-gather`) gather = true;
    else {
      units.add(Number(job.slice(name.length + 1)) + Number(task));
      jobs.add(id);
    }
  }
  return { units, jobs: [...jobs], gather };
}

async function _maxArraySize(folder: string): Promise<number> {
  const config = await _run(folder, "scontrol", "show", "config");
  const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(config)?.[1] ?? MAX_ARRAY_SIZE);
  if (size > 0) return size;
  throw new SubmitError(
    `Cannot submit the plan '${folder}' to Slurm: this cluster takes no job arrays ` +
      "(its MaxArraySize is 0): ask who runs it",
  );
}

async function _writeScripts(request: SubmitRequest, name: string): Promise<string[]> {
  const { folder, plan } = request;
  const logs = join(folder, LOGS);
  await makeFolder(logs);
  const threads = plan.kind === "score"
    ? plan.threads
    : Math.max(...plan.units.map((unit) => unit.threads));
  const url = new URL("../../../cli.ts", import.meta.url);
  const cli = url.protocol === "file:" ? decodeURIComponent(url.pathname) : url.href;
  const options = { folder, name, threads, logs, cli, deno: Deno.execPath() };
  const files = [join(folder, UNIT_SCRIPT), join(folder, GATHER_SCRIPT)];
  await writeWhole(files[0], unitScript(options));
  await writeWhole(files[1], gatherScript(options));
  return files;
}

/** What the commands are made of. */
interface CommandOptions {
  folder: string;
  name: string;
  sbatch: readonly string[];
}

function _unitArgs({ folder, name, sbatch }: CommandOptions, { first, units }: ArrayJob): string[] {
  const tasks = rangesOf(units.map((unit) => unit - first));
  const own = ["--parsable", `--job-name=${name}-${first}`, `--array=${tasks}`];
  return [...sbatch, ...own, join(folder, UNIT_SCRIPT), `${first}`];
}

function _gatherArgs({ folder, sbatch }: CommandOptions, after: string): string[] {
  const own = ["--parsable", `--dependency=${after}`, "--kill-on-invalid-dep=yes"];
  return [...sbatch, ...own, join(folder, GATHER_SCRIPT)];
}

/** The commands for a shell. */
function _commands(options: CommandOptions, arrays: readonly ArrayJob[]): string[] {
  const words = (args: readonly string[]) => ["sbatch", ...args.map(shellQuoted)].join(" ");
  const names = arrays.map((_, index) => `job${index + 1}`);
  const after = `afterok:${names.map((each) => `$${each}`).join(":")}`;
  return [
    ...arrays.map((array, index) => `${names[index]}=$(${words(_unitArgs(options, array))})`),
    // The shell is to put the numbers in.
    words(_gatherArgs(options, "AFTER")).replace("AFTER", after),
  ];
}

/** Submits the arrays and the job that gathers. */
async function _submit(
  options: CommandOptions,
  arrays: readonly ArrayJob[],
  { jobs: earlier }: Queued,
): Promise<Pick<Submission, "submitted" | "jobs">> {
  const jobs: string[] = [];
  const ids: string[] = [];
  for (const array of arrays) {
    const id = await _sbatch(options.folder, _unitArgs(options, array));
    ids.push(id);
    jobs.push(`job ${id}: units ${rangesOf(array.units)}`);
  }
  // A task that failed before must not keep what is submitted now from being gathered.
  const after = [
    ...ids.length > 0 ? [`afterok:${ids.join(":")}`] : [],
    ...earlier.length > 0 ? [`afterany:${earlier.join(":")}`] : [],
  ];
  jobs.push(`job ${await _sbatch(options.folder, _gatherArgs(options, after.join()))}: gather`);
  return { submitted: arrays.flatMap(({ units }) => units), jobs };
}

/** The number of a job that was submitted. */
async function _sbatch(folder: string, args: readonly string[]): Promise<string> {
  const said = (await _run(folder, "sbatch", ...args)).trim();
  // A federation adds the name of the cluster.
  const id = /^(\d+)(;|$)/.exec(said)?.[1];
  if (id !== undefined) return id;
  throw new SubmitError(
    `Cannot submit the plan '${folder}' to Slurm: sbatch gave no number of a job but '${said}': ` +
      "look at its options",
  );
}
