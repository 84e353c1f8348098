/**
 * The least permissions of each command: it runs with exactly what its help, docs/command_line.md and
 * `deno.json` name, and with any part missing it says in one line which flag to add.
 *
 * A new command is a new entry of the table.
 */
import assert from "node:assert/strict";
import { writePhantomDataset } from "../../lib/phantom/mod.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import { writeWhole } from "../../lib/files.ts";
import { PLANES, TASKS } from "../../lib/terms.ts";
import { runCli } from "../support/cli.ts";
import { memberName, writeCombined, writeMember, writePlanes } from "../support/combined.ts";
import { writeOutOfFold, writeSeeds } from "../support/ensembles.ts";
import { FakeSlurm } from "../support/fake_slurm.ts";
import { TemporaryFolder, writeTinyDataset } from "../support/folders.ts";

/** A permission and what it is for: `read` of `data` is `--allow-read=data`. */
type Grants = Readonly<Partial<Record<"read" | "write" | "net" | "run", readonly string[]>>>;

interface Entry {
  /** The command as its help is asked for. */
  command: string;
  /** What it is done with, where that is not what the command is done with most. */
  of?: string;
  /** What the user types. */
  args: readonly string[];
  /** The least that is needed for that. */
  least: Grants;
  /** The permission set of `deno.json`, and what it grants beyond the least. */
  set: { name: string; more?: Grants };
  /** How help and docs/command_line.md put it, where that differs from the flags themselves. */
  words?: string;
  /** What its environment has beside that of the tests. */
  env?(folder: TemporaryFolder): Record<string, string>;
  /** Puts the input there. */
  prepare?(folder: TemporaryFolder): Promise<void>;
  /** For a part that is missing, how the folder must look for it to matter. */
  prepareWithout?: Readonly<Record<string, (folder: TemporaryFolder) => Promise<void>>>;
  /** What must be there afterwards, a folder and the beginning of a file's name in it. */
  leaves: readonly [folder: string, file: string];
}

const STARTS_NO_ENGINE = ["synth", "convert", "submit"];

const TRAIN = ["-t", "acl", "-p", "coronal", "--weights", "none", "--epochs", "1", "--seed", "1"];

const WEIGHTS = `models/${memberName("axial")}`;

/** A plan of one training, from a model that kept the same exams out. */
const PLAN = [
  ...["plan", "all", "-t", "acl", "-p", "axial", "--out", "plans/acl", "--weights", WEIGHTS],
  ...["--backend", "wasm", "--threads", "1", "--epochs", "1", "--seed", "1", "--tune", "0.4"],
];

const OF_PLANS: Grants = {
  read: ["data", "models", "plans"],
  write: ["models", "plans"],
  net: ["download.pytorch.org"],
};

async function preparePlan(folder: TemporaryFolder): Promise<void> {
  await writePlanes(folder, { train: 12, valid: 2 });
  await writeMember(folder, "axial", { tune: { fraction: 0.4, seed: 0 } });
}

const ENTRIES: readonly Entry[] = [
  {
    command: "train",
    args: [...TRAIN, "--backend", "wasm"],
    least: { read: ["data", "models", "logs"], write: ["models", "logs"] },
    set: { name: "train", more: { net: ["download.pytorch.org"] } },
    prepare: (folder) => writeTinyDataset(folder),
    leaves: ["models", "model_mrnet_acl_coronal_"],
  },
  {
    command: "demo",
    args: ["demo"],
    least: { read: ["data", "models", "logs"], write: ["data", "models", "logs"] },
    set: { name: "demo" },
    // The knees that an earlier demo made; it made fewer of them.
    async prepare(folder) {
      const knees = { train: 4, valid: 3, size: 64, slices: [2, 2], seed: 1 } as const;
      await Deno.mkdir(folder.at("data"));
      await writePhantomDataset({ folder: folder.at("data/demo"), ...knees });
    },
    prepareWithout: { "--allow-write=data": () => Promise.resolve() },
    leaves: ["models", "model_demo_acl_sagittal_"],
  },
  {
    command: "synth",
    args: [
      ...["synth", "--out", "data/practice", "--train", "2", "--valid", "2", "--size", "64"],
      ...["--slices", "2", "--seed", "1"],
    ],
    least: { read: ["data"], write: ["data"] },
    set: { name: "synth" },
    words: "--allow-read=DIR --allow-write=DIR",
    leaves: ["data/practice", "train-acl.csv"],
  },
  {
    command: "convert",
    args: ["convert", "models/a.safetensors", "models/b.pth"],
    least: { read: ["models"], write: ["models"] },
    set: { name: "convert" },
    words: "--allow-read=DIR --allow-write=DIR",
    async prepare(folder) {
      await Deno.mkdir(folder.at("models"));
      await writeWhole(folder.at("models/a.safetensors"), encodeSafetensors(initialWeights(1)));
    },
    leaves: ["models", "b.pth"],
  },
  {
    command: "evaluate",
    args: [
      ...["evaluate", "--model", "models/a.safetensors", "-t", "acl", "-p", "coronal"],
      ...["--backend", "wasm", "--seed", "1", "--out", "reports"],
    ],
    least: { read: ["data", "models", "reports"], write: ["reports"] },
    set: { name: "evaluate" },
    words: "--allow-read=data,models",
    async prepare(folder) {
      await writeTinyDataset(folder);
      await Deno.mkdir(folder.at("models"));
      await writeWhole(folder.at("models/a.safetensors"), encodeSafetensors(initialWeights(1)));
    },
    leaves: ["reports", "report.html"],
  },
  {
    command: "predict",
    args: [
      ...["predict", "--model", "models/a.safetensors", "-t", "acl", "-p", "coronal"],
      ...["--intensity", "raw", "--backend", "wasm", "--cam", "cam"],
      "data/valid/coronal/0002.npy",
    ],
    least: { read: ["models", "data", "cam"], write: ["cam"] },
    set: { name: "predict" },
    words: "--allow-read=FILE,EXAM,DIR --allow-write=DIR",
    async prepare(folder) {
      await writeTinyDataset(folder);
      await Deno.mkdir(folder.at("models"));
      await writeWhole(folder.at("models/a.safetensors"), encodeSafetensors(initialWeights(1)));
    },
    leaves: ["cam", "0002_sheet.png"],
  },
  {
    command: "combine",
    args: [
      ...["combine", "--models", PLANES.map((plane) => `models/${memberName(plane)}`).join()],
      ...["--fit_on", "valid", "--backend", "wasm"],
    ],
    least: { read: ["data", "models"], write: ["models"] },
    set: { name: "combine" },
    async prepare(folder) {
      await writePlanes(folder, { train: 2, valid: 4 });
      for (const plane of PLANES) await writeMember(folder, plane);
    },
    leaves: ["models", "combined_mrnet_acl.json"],
  },
  {
    command: "combine",
    of: " of a table",
    args: ["combine", "--predictions", "data/table.csv", "--out", "models/combined.json"],
    least: { read: ["data", "models"], write: ["models"] },
    set: { name: "combine" },
    prepare: (folder) =>
      folder.write(
        "data/table.csv",
        "label,axial,coronal,sagittal\n1,0.9,0.5,0.8\n1,0.7,0.4,0.9\n0,0.2,0.5,0.3\n0,0.4,0.6,0.1\n",
      ),
    leaves: ["models", "combined.json"],
  },
  {
    command: "ensemble",
    args: [
      ...["ensemble", "models/axial_11.safetensors", "models/axial_12.safetensors"],
      ...["--predictions", "data/out_of_fold.csv", "--out", "models/ensemble.json"],
    ],
    least: { read: ["data", "models"], write: ["models"] },
    set: { name: "combine" },
    async prepare(folder) {
      await writeSeeds(folder, "axial", [11, 12]);
      const table = await writeOutOfFold(folder);
      await Deno.mkdir(folder.at("data"));
      await Deno.rename(table, folder.at("data/out_of_fold.csv"));
    },
    leaves: ["models", "ensemble.json"],
  },
  {
    command: "predict",
    of: " with a combination",
    args: [
      ...["predict", "--model", "models/combined.json", "--backend", "wasm", "--cam", "cam"],
      ...PLANES.map((plane) => `data/valid/${plane}/0003.npy`),
    ],
    least: { read: ["models", "data", "cam"], write: ["cam"] },
    set: { name: "predict" },
    words: "--allow-read=FILE,EXAM,DIR --allow-write=DIR",
    async prepare(folder) {
      await writePlanes(folder, { train: 2, valid: 2 });
      await writeCombined(folder);
    },
    leaves: ["cam/axial", "0003_sheet.png"],
  },
  {
    command: "run_all",
    args: [
      ...["run_all", "--weights", "none", "--backend", "wasm", "--threads", "1", "--epochs", "1"],
      ...["--seed", "1", "--tune", "0.4"],
    ],
    least: { read: ["data", "models", "logs"], write: ["models", "logs"] },
    set: { name: "train", more: { net: ["download.pytorch.org"] } },
    prepare: (folder) => writePlanes(folder, { train: 12, valid: 2 }, TASKS),
    leaves: ["logs/run_all/mrnet", "report.html"],
  },
  {
    command: "plan",
    args: PLAN,
    least: { read: ["data", "models", "plans"], write: ["plans"] },
    set: { name: "plan", more: OF_PLANS },
    words: "--allow-read=data,models,PLAN --allow-write=models,PLAN",
    prepare: preparePlan,
    leaves: ["plans/acl", "plan.json"],
  },
  {
    command: "unit",
    args: ["unit", "plans/acl", "--index", "0"],
    least: { read: ["data", "models", "plans"], write: ["plans"] },
    set: { name: "plan", more: OF_PLANS },
    words: "--allow-read=data,models,PLAN --allow-write=PLAN",
    async prepare(folder) {
      await preparePlan(folder);
      await runCli(folder, PLAN, { permissions: ["-A"] });
    },
    leaves: ["plans/acl/units/acl-axial", "unit.json"],
  },
  {
    command: "submit",
    args: ["submit", "plans/acl", "--engine", "slurm"],
    least: { read: ["plans"], write: ["plans"], run: ["sbatch", "squeue", "scontrol"] },
    set: { name: "submit" },
    words: "--allow-read=PLAN --allow-write=PLAN",
    async prepare(folder) {
      await preparePlan(folder);
      await runCli(folder, PLAN, { permissions: ["-A"] });
      await FakeSlurm.write(folder);
    },
    env: FakeSlurm.env,
    leaves: ["plans/acl", "unit.sbatch"],
  },
  {
    command: "status",
    args: ["status", "plans/acl"],
    least: { read: ["plans"] },
    set: { name: "plan", more: OF_PLANS },
    words: "--allow-read=PLAN",
    async prepare(folder) {
      await preparePlan(folder);
      await runCli(folder, PLAN, { permissions: ["-A"] });
    },
    leaves: ["plans/acl", "plan.json"],
  },
  {
    command: "gather",
    args: ["gather", "plans/chunks"],
    least: { read: ["plans"], write: ["plans"] },
    set: { name: "plan", more: OF_PLANS },
    words: "--allow-read=PLAN --allow-write=PLAN",
    async prepare(folder) {
      await preparePlan(folder);
      await folder.write("exams.csv", "id,axial\n1,data/valid/axial/0012.npy\n");
      const score = ["plan", "score", "exams.csv", "--model", WEIGHTS, "--out", "plans/chunks"];
      for (const args of [[...score, "--threads", "1"], ["unit", "plans/chunks"]]) {
        await runCli(folder, args, { permissions: ["-A"] });
      }
    },
    leaves: ["plans/chunks", "predictions.csv"],
  },
];

const CONFIG = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
const PAGE = await Deno.readTextFile(
  new URL("../../docs/command_line.md", import.meta.url),
);

/** `--allow-read=data,models`. */
function flagsOf(grants: Grants): string[] {
  return Object.entries(grants).filter(([, folders]) => folders.length > 0)
    .map(([access, folders]) => `--allow-${access}=${folders.join(",")}`);
}

/** The same without one folder, for every folder. */
function* withoutOne(grants: Grants): Generator<{ missing: string; left: string[] }> {
  for (const [access, folders] of Object.entries(grants)) {
    for (const folder of folders) {
      const others = folders.filter((other) => other !== folder);
      yield {
        missing: `--allow-${access}=${folder}`,
        left: flagsOf({ ...grants, [access]: others }),
      };
    }
  }
}

async function assertWorks(entry: Entry, permissions: readonly string[]): Promise<void> {
  await using folder = await TemporaryFolder.make();
  await entry.prepare?.(folder);
  // A permission set means the folders beside the configuration that names it.
  await folder.write("deno.json", JSON.stringify({ permissions: CONFIG.permissions }));
  const { code, err } = await runCli(folder, entry.args, {
    ...{ permissions, env: entry.env?.(folder) },
  });
  assert.equal(code, 0, err);
  const [where, begin] = entry.leaves;
  assert.ok((await folder.files(where)).some((name) => name.startsWith(begin)), where);
}

for (const entry of ENTRIES) {
  const { command, least, set, words } = entry;
  const title = command + (entry.of ?? "");

  Deno.test(`${title} runs with its least permissions`, async () => {
    await assertWorks(entry, flagsOf(least));
  });

  Deno.test(`${title} runs with the permission set of deno.json`, async () => {
    // So that a driver's remark does not reach the terminal; it works without.
    const env = STARTS_NO_ENGINE.includes(set.name) ? {} : { env: ["XDG_RUNTIME_DIR"] };
    assert.deepEqual(CONFIG.permissions[set.name], { ...least, ...set.more, ...env });
    await assertWorks(entry, [`-P=${set.name}`, "--config", "deno.json"]);
  });

  for (const { missing, left } of withoutOne(least)) {
    Deno.test(`${title} without ${missing} says so in one line`, async () => {
      await using folder = await TemporaryFolder.make();
      await (entry.prepareWithout?.[missing] ?? entry.prepare)?.(folder);
      const before = await folder.files("models");
      const { code, out, err } = await runCli(folder, entry.args, {
        ...{ permissions: left, env: entry.env?.(folder) },
      });
      assert.equal(code, 1, err);
      assert.equal(out, "");
      const lines = err.trimEnd().split("\n");
      assert.match(
        lines.at(-1)!,
        new RegExp(`^Cannot .*: Deno has no permission for it: run again with ${missing}$`),
      );
      // Remarks on what is being done may stand before it, of what went wrong there is one line.
      assert.deepEqual(
        lines.slice(0, -1).filter((line) =>
          !/^(Seed \d+|Knees: .*|Engine: .*|Positive from .*|State: .*|To do: .*)$/.test(line)
        ),
        [],
      );
      assert.deepEqual(await folder.files("models"), before);
    });
  }

  Deno.test(`${title}: help and documentation name its least permissions`, async () => {
    await using folder = await TemporaryFolder.make();
    const { out } = await runCli(folder, [command, "--help"], { permissions: [] });
    const named = words ?? flagsOf(least).join(" ");
    assert.ok(out.replace(/\s+/g, " ").includes(`Permissions: ${named}`), out);
    const row = PAGE.split("\n").find((line) => line.startsWith(`| ${command} `));
    assert.ok(row?.includes(named), `the row of ${command}: ${row}`);
    assert.ok(row?.includes(`-P=${set.name}`), `the row of ${command}: ${row}`);
  });
}

Deno.test("every permission set of deno.json belongs to a command of the table", () => {
  // A service does not end by itself: tests/serve/processes_test.ts has it.
  const names = new Set([...ENTRIES.map(({ set }) => set.name), "serve"]);
  assert.deepEqual(Object.keys(CONFIG.permissions).sort(), [...names].sort());
});
