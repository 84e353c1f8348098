/**
 * The scripts that Slurm runs. A unit's hands Slurm's TERM on and puts the task back into the queue if the
 * unit is to come again; that of the results gathers them.
 */
import { shellQuoted } from "../../invocation.ts";

/** What the scripts are made for. */
export interface ScriptOptions {
  /** The folder of the plan, as the user called it. */
  folder: string;
  /** What its jobs are called, without what follows for each of them. */
  name: string;
  /** The threads of a unit. */
  threads: number;
  /** The program of Deno itself: npx would die of the TERM and take the unit along. */
  deno: string;
  /** The file or address of `cli.ts`. */
  cli: string;
  /** The folder of the logs. */
  logs: string;
}

/** How many seconds before the end of a job's time Slurm sends the TERM. */
const SECONDS_TO_SAVE = 120;

/** How often a unit is put back into the queue. */
export const MAX_RESTARTS = 100;

/** What `%` means in the names of Slurm's files. */
const literal = (path: string) => path.replaceAll("%", "%%");

/** A path in a line of `#SBATCH`. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&")}"`;
}

/** What both scripts begin with. */
function head(says: string, directives: readonly string[]): string {
  return [
    "#!/usr/bin/env bash",
    `# ${says}`,
    "# 'cli.ts submit' writes this file anew each time.",
    ...directives.map((directive) => `#SBATCH --${directive}`),
    "set -u",
    'cd "$SLURM_SUBMIT_DIR" || exit 1',
  ].join("\n");
}

/** The call of `cli.ts` in a script. */
function call({ deno, cli }: ScriptOptions, ...args: string[]): string {
  // A node without internet would wait long for what is not in Deno's cache.
  return [deno, "run", "--cached-only", "-A", cli].map(shellQuoted).concat(args).join(" ");
}

/** The script of a unit; its argument is the number of the unit that the array's task 0 does. */
export function unitScript(options: ScriptOptions): string {
  const { folder, name, threads, logs, deno } = options;
  const directives = [
    `job-name=${name}-0`,
    ...["ntasks=1", `cpus-per-task=${threads}`, "requeue", `signal=B:TERM@${SECONDS_TO_SAVE}`],
    ...[`output=${quoted(`${literal(logs)}/%A_%a.log`)}`, "open-mode=append"],
  ];
  const says =
    "Does one unit of a plan as a task of a Slurm array: sbatch --array=0-8 unit.sbatch 0";
  return `${head(says, directives)}

index=$((SLURM_ARRAY_TASK_ID + \${1:-0}))
restarts=\${SLURM_RESTART_COUNT:-0}
# Not SLURM_JOB_ID: that of the last task is the array's, and would put every task back.
task=\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
say() { echo "$(date +%FT%T) unit $index on \${SLURMD_NODENAME:-?}, restart $restarts: $*"; }
[ -x ${shellQuoted(deno)} ] || { say "there is no "${shellQuoted(deno)}" on this node"; exit 1; }

# Slurm sends the TERM before the job's time is over, or to make room, and may repeat it. On the first one
# Deno saves the unit and exits 75; a second one would end it at once.
child=
stopped=
stop() {
  [ -z "$stopped" ] && [ -n "$child" ] && kill -TERM "$child" 2> /dev/null
  stopped=1
}
trap stop TERM
say begins
${call(options, "unit", shellQuoted(folder), "--index", '"$index"')} &
child=$!
[ -z "$stopped" ] || kill -TERM "$child" 2> /dev/null
# A trap ends wait.
while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2> /dev/null || break
done
say "exit $code"

# 143 is a TERM that came before Deno listened: nothing is lost by it.
[ "$code" = 75 ] || [ "$code" = 143 ] || exit "$code"
if [ "$restarts" -ge ${MAX_RESTARTS} ]; then
  say "not done after $restarts restarts"
  exit 75
fi
# A task that Slurm ends itself, cancelled or put back, is none to put back here.
case $(scontrol show job "$task") in
  *JobState=RUNNING*) scontrol requeue "$task" && exit 0 ;;
esac
exit 75
`;
}

/** The script that gathers the results. */
export function gatherScript(options: ScriptOptions): string {
  const { folder, name, logs } = options;
  const directives = [
    ...[`job-name=${name}-gather`, "ntasks=1", "cpus-per-task=1"],
    ...[`output=${quoted(`${literal(logs)}/gather-%j.log`)}`, "open-mode=append"],
  ];
  return `${head("Puts the results of a plan's units together.", directives)}
exec ${call(options, "gather", shellQuoted(folder))}
`;
}
