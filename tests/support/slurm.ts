/**
 * A real Slurm of two nodes on this machine, as Debian's slurm-wlm and munge bring it: two `slurmd`, no
 * systemd, ports and keys of its own. It needs root.
 */
import { type TemporaryFolder } from "./folders.ts";

/** Set where the absence of Slurm must fail instead of skip. */
const DEMANDED = Deno.env.get("MRNET_REQUIRE_SLURM") === "1";

const PROGRAMS = ["munged", "slurmctld", "slurmd"].map((name) => `/usr/sbin/${name}`);

const found = Deno.build.os === "linux" && Deno.uid() === 0 &&
  PROGRAMS.every((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });

/** Whether a test that needs Slurm is left out. */
export const WITHOUT_SLURM = !found && !DEMANDED;

/** What is added to the name of such a test. */
export const WHY_LEFT_OUT = WITHOUT_SLURM
  ? " (skipped: this machine has no slurmctld, slurmd and munged, or the user is not root)"
  : "";

/** The two nodes. */
export const NODES = ["n1", "n2"] as const;
export type Node = typeof NODES[number];

/** How long something may take before a test gives up, in milliseconds: machines may be busy. */
const PATIENCE_MS = 1_200_000;

/** Waits until something is there, and gives it. */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  pauseMs = 300,
): Promise<T> {
  const begin = performance.now();
  while (performance.now() - begin < PATIENCE_MS) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  throw new Error(`waited ${PATIENCE_MS / 1000} s for ${what}`);
}

/** A task of a unit on a node. */
export interface RunningUnit {
  /** The task as Slurm's programs are told it: `12_3`. */
  task: string;
  /** The unit's number. */
  index: number;
  node: Node;
  /** The process of Deno. */
  pid: number;
  /** That of the script. */
  script: number;
}

/** The cluster. */
export class SlurmCluster implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #home: string;
  readonly #daemons = new Map<string, Deno.ChildProcess>();

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.#home = folder.at("slurm");
  }

  /** Starts one, with its files in the folder `slurm` of another. */
  static async start(folder: TemporaryFolder): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(folder);
    try {
      await cluster.#begin();
      return cluster;
    } catch (error) {
      const logs = await cluster.#logs();
      await cluster[Symbol.asyncDispose]();
      throw new Error(`${error}\n${logs}`);
    }
  }

  /** What the programs of Slurm must find in their environment. */
  get env(): Record<string, string> {
    return { SLURM_CONF: `${this.#home}/slurm.conf` };
  }

  /** Runs a program of Slurm and gives what it prints. */
  async run(program: string, ...args: string[]): Promise<string> {
    const command = new Deno.Command(program, { args, env: this.env, cwd: this.#folder.path });
    const { code, stdout, stderr } = await command.output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${err}`);
    return out;
  }

  /** The units that nodes are at; their processes are found by their environment. */
  async running(): Promise<RunningUnit[]> {
    const units: RunningUnit[] = [];
    for (const { pid, parent, env, name } of await this.#processes()) {
      const [job, index] = [env.get("SLURM_ARRAY_JOB_ID"), env.get("SLURM_ARRAY_TASK_ID")];
      if (name !== "deno" || job === undefined || index === undefined) continue;
      const node = env.get("SLURMD_NODENAME") as Node;
      units.push({ task: `${job}_${index}`, index: Number(index), node, pid, script: parent });
    }
    return units;
  }

  /** Kills a node with all that it runs, as the loss of its power does. */
  async killNode(node: Node): Promise<void> {
    const tasks = (await this.#processes()).filter(({ env }) =>
      env.get("SLURMD_NODENAME") === node
    );
    _kill(this.#daemons.get(node)!.pid);
    // Who watches a task must not live to report its end.
    for (const { parent } of tasks) if (await _nameOf(parent) === "slurmstepd") _kill(parent);
    for (const { pid } of tasks) _kill(pid);
    await this.#daemons.get(node)!.status;
  }

  /** Starts a node, or starts it again. */
  startNode(node: Node): void {
    this.#daemon(node, "slurmd", "-D", "-N", node);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pid } of await this.#processes()) _kill(pid);
    for (const daemon of [...this.#daemons.values()].reverse()) {
      _kill(daemon.pid);
      await daemon.status;
    }
  }

  async #begin(): Promise<void> {
    for (const name of ["state", "log"]) {
      await Deno.mkdir(`${this.#home}/${name}`, { recursive: true });
    }
    const [munge, key] = [`${this.#home}/munge.socket`, `${this.#home}/munge.key`];
    await Deno.writeFile(key, crypto.getRandomValues(new Uint8Array(1024)), { mode: 0o400 });
    const files = ["pid", "log", "seed"].map((name) =>
      `--${name}-file=${this.#home}/munge.${name}`
    );
    this.#daemon(
      "munged",
      "munged",
      "-F",
      "-f",
      `--socket=${munge}`,
      `--key-file=${key}`,
      ...files,
    );
    await waitFor("munged", () => Deno.lstat(munge).then(() => true, () => false));
    await Deno.writeTextFile(this.env.SLURM_CONF, _config(this.#home, munge, _freePorts(3)));
    // Control groups need a system that is made for them.
    await Deno.writeTextFile(`${this.#home}/cgroup.conf`, "CgroupPlugin=cgroup/v1\n");
    this.#daemon("slurmctld", "slurmctld", "-D");
    for (const node of NODES) {
      await Deno.mkdir(`${this.#home}/spool-${node}`);
      this.startNode(node);
    }
    await waitFor("two idle nodes", async () => {
      const idle = await this.run("sinfo", "-h", "-t", "idle", "-o", "%D").catch(() => "");
      return idle.trim() === "2";
    });
  }

  #daemon(name: string, program: string, ...args: string[]): void {
    const command = new Deno.Command(`/usr/sbin/${program}`, {
      ...{ args, env: this.env, cwd: this.#home },
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    });
    this.#daemons.set(name, command.spawn());
  }

  /** The processes of jobs: those that have this cluster's configuration, and a node. */
  async #processes(): Promise<Process[]> {
    const found: Process[] = [];
    for await (const { name: pid } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      const env = await _environmentOf(Number(pid));
      if (env.get("SLURM_CONF") !== this.env.SLURM_CONF || !env.has("SLURMD_NODENAME")) continue;
      const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
      const [, parent] = /^PPid:\s*(\d+)/m.exec(status) ?? [];
      if (parent === undefined) continue;
      const name = await _nameOf(Number(pid));
      found.push({ pid: Number(pid), parent: Number(parent), name, env });
    }
    return found;
  }

  async #logs(): Promise<string> {
    const names = (await this.#folder.files("slurm")).filter((name) => name.endsWith(".log"));
    const texts = names.map(async (name) =>
      `${name}:\n${await this.#folder.text(`slurm/${name}`)}`
    );
    return (await Promise.all(texts)).join("\n").slice(-10_000);
  }
}

/** A process of a job. */
interface Process {
  pid: number;
  parent: number;
  name: string;
  env: Map<string, string>;
}

async function _environmentOf(pid: number): Promise<Map<string, string>> {
  const text = await Deno.readTextFile(`/proc/${pid}/environ`).catch(() => "");
  return new Map(
    text.split("\0").map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

async function _nameOf(pid: number): Promise<string> {
  return (await Deno.readTextFile(`/proc/${pid}/comm`).catch(() => "")).trim();
}

function _kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Ports that nobody listens at. */
function _freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}

function _config(home: string, munge: string, [controller, ...nodes]: number[]): string {
  const host = Deno.hostname().split(".")[0];
  const settings: Record<string, string | number> = {
    ...{ ClusterName: "mrnet", SlurmctldHost: `${host}(127.0.0.1)`, SlurmctldPort: controller },
    ...{ SlurmUser: "root", SlurmdUser: "root", AuthType: "auth/munge", CredType: "cred/munge" },
    // A task that was put back waits until its old credential has expired.
    AuthInfo: `socket=${munge},cred_expire=5`,
    // No control groups, which machines have in several ways or not at all.
    ...{ ProctrackType: "proctrack/pgid", TaskPlugin: "task/none" },
    ...{
      JobAcctGatherType: "jobacct_gather/none",
      AccountingStorageType: "accounting_storage/none",
    },
    ...{ MpiDefault: "none", SwitchType: "switch/none", SchedulerType: "sched/backfill" },
    SchedulerParameters: "sched_interval=1,bf_interval=1,batch_sched_delay=0",
    ...{ SelectType: "select/cons_tres", SelectTypeParameters: "CR_CPU" },
    ...{ SlurmdParameters: "config_overrides", ReturnToService: 2, JobRequeue: 1, KillWait: 60 },
    ...{ SlurmdTimeout: 10, SlurmctldTimeout: 10, InactiveLimit: 0, MinJobAge: 3600 },
    ...{ MaxArraySize: 6, StateSaveLocation: `${home}/state` },
    ...{ SlurmctldPidFile: `${home}/slurmctld.pid`, SlurmctldLogFile: `${home}/log/slurmctld.log` },
    ...{ SlurmdPidFile: `${home}/%n.pid`, SlurmdLogFile: `${home}/log/%n.log` },
    SlurmdSpoolDir: `${home}/spool-%n`,
  };
  return [
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
    ...NODES.map((node, index) =>
      `NodeName=${node} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${nodes[index]} CPUs=1`
    ),
    `PartitionName=main Nodes=${NODES.join()} Default=YES MaxTime=INFINITE State=UP`,
    "",
  ].join("\n");
}
