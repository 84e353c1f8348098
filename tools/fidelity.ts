/**
 * Measures how far each engine is from PyTorch, and prints the tables of docs/fidelity.md.
 *
 * ```sh
 * deno run -A --lock=deno.dev.lock tools/fidelity.ts            # every engine: minutes without a GPU
 * deno run -A --lock=deno.dev.lock tools/fidelity.ts wasm
 * deno run -A --lock=deno.dev.lock tools/fidelity.ts wasm resnet18 exams 7x256x256
 * ```
 *
 * Engines, networks, tables (exams, runs, resampling) and exams may be named: without a name of a kind all
 * of that kind are measured. `first` leaves out all steps but the first. What is found is told on standard
 * error at once, for a table may take long.
 */
import { fileURLToPath } from "node:url";
import { openDataset } from "../lib/data/dataset.ts";
import { writePhantomDataset } from "../lib/phantom/mod.ts";
import { ENGINES, startEngine } from "../lib/engine/engine.ts";
import { writeWhole } from "../lib/files.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { type NetworkName, networkOf } from "../lib/network/networks.ts";
import { encodeSafetensors } from "../lib/model/weights/safetensors.ts";
import { SPLITS } from "../lib/terms.ts";
import {
  AUGMENTATION_CASES,
  AUGMENTED_STEPS,
  compareAugmentation,
  compareAugmentedStep,
} from "../tests/support/augmentation_golden.ts";
import { launchChromium, WITHOUT_CHROMIUM } from "../tests/support/chromium.ts";
import { openWebGPUPage } from "../tests/support/chromium_webgpu.ts";
import { TemporaryFolder } from "../tests/support/folders.ts";
import {
  casesOf,
  compareNetwork,
  DIFFERENCES,
  type Differences,
  GOLDEN_NETWORKS,
  runNetworkCase,
} from "../tests/support/network_golden.ts";
import { findPython } from "../tests/support/python.ts";
import {
  AUGMENTATION_TOLERANCE,
  AUGMENTED_STEP_TOLERANCE,
  boundsOf,
  DEMANDED,
  demandedOf,
  WHOLE_RUN_TOLERANCES,
} from "../tests/support/tolerances.ts";
import {
  compareRun,
  FIXTURE_RUN,
  type ReferenceEpoch,
  RESNET18_RUN,
  type RunDifference,
  SEEDED_RUN,
  startingState,
  trainLike,
} from "../tests/support/whole_run_golden.ts";

/** Plain JavaScript takes five seconds for a slice of 64×64, so it gets AlexNet's small case alone. */
const SLOW = "cpu";
const SMALL = "2x64x64";

/** Those of the names that an argument gives; all of them where none is given. */
function given<T extends string>(names: readonly T[]): readonly T[] {
  const found = names.filter((name) => Deno.args.includes(name));
  return found.length === 0 ? names : found;
}

const chosen = given(ENGINES);
const networks = given(GOLDEN_NETWORKS);
const tables = given(["exams", "runs", "resampling"]);
const exams = given(networks.flatMap((network) => casesOf(network).map(({ name }) => name)));
const depth = Deno.args.includes("first") ? "first" : "all";
const measured = Object.keys(DIFFERENCES) as (keyof Differences)[];

/** A difference with two digits; a dash where there is none. */
function shown(difference: number | undefined): string {
  if (difference === undefined) return "–";
  return difference === 0 ? "0" : difference.toExponential(1);
}

/** A table as `deno fmt` leaves it. */
function table(heading: string[], rows: string[][]): string {
  const widths = heading.map((_, i) => Math.max(...[heading, ...rows].map((row) => row[i].length)));
  const line = (row: string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  return [heading, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

async function networkTable(network: NetworkName): Promise<string> {
  const line = (name: string, what: string, found: Partial<Differences>) =>
    told([name, what, ...measured.map((each) => shown(found[each]))]);
  const rows: string[][] = [line("any", "demanded", demandedOf(network))];
  for (const reference of casesOf(network)) {
    const { name } = reference;
    if (!exams.includes(name)) continue;
    const isSmall = network === "alexnet" && name === SMALL;
    for (const engine of chosen) {
      if (engine === SLOW && !isSmall) continue;
      progress(`${network}, ${name} on ${engine}`);
      await startEngine(engine);
      const ours = await runNetworkCase(reference, depth);
      rows.push(line(name, engine, compareNetwork(reference, ours)));
    }
    if (isSmall && chosen.includes("webgpu")) {
      for (const [engine, found] of await chromiumDifferences()) {
        rows.push(line(name, engine, found));
      }
    }
    const { own_rounding } = reference;
    if (own_rounding) rows.push(line(name, "PyTorch in float64", own_rounding));
    rows.push(line(name, "tested for", boundsOf(reference)));
  }
  return table(["exam", "engine", ...measured.map((each) => DIFFERENCES[each])], rows);
}

/** The small case on Chromium's WebGPU, where there is a Chromium. */
async function chromiumDifferences(): Promise<[engine: string, Differences][]> {
  if (WITHOUT_CHROMIUM) {
    progress("no Chromium: its WebGPU is left out");
    return [];
  }
  const found: [string, Differences][] = [];
  await using browser = await launchChromium();
  await using page = await openWebGPUPage(browser);
  for (const tiles of ["registers", "shared"] as const) {
    for (const winograd of [false, true]) {
      const engine = `Chromium's webgpu, ${tiles}${winograd ? ", Winograd" : ""}`;
      progress(`${SMALL} on ${engine}`);
      found.push([engine, (await page.compare(SMALL, { tiles, winograd })).differences]);
    }
  }
  return found;
}

async function runTable(): Promise<string> {
  const line = (name: string, what: string, { epochLoss, epochAuc }: RunDifference) =>
    told([name, what, shown(epochLoss), shown(epochAuc)]);
  const rows = [line("any", "demanded", DEMANDED)];
  const runs = {
    "tests/fixtures": FIXTURE_RUN,
    "seeded exams": SEEDED_RUN,
    "tests/fixtures, ResNet-18": RESNET18_RUN,
  };
  for (const [what, { network, reference, datasets }] of Object.entries(runs)) {
    if (!networks.includes(network)) continue;
    const name = `${reference.epochs.length} epochs, ${what}`;
    for (const engine of chosen.filter((engine) => engine !== SLOW)) {
      progress(`${name} on ${engine}`);
      await startEngine(engine);
      const ours = await trainLike(reference.options, await datasets(), startingState(network));
      rows.push(line(name, engine, compareRun(ours, reference.epochs)));
    }
    rows.push(line(name, "PyTorch in float64", reference.own_rounding));
  }
  rows.push(line("these", "tested for", WHOLE_RUN_TOLERANCES));
  for (const network of networks) {
    for await (const { name, engine, difference } of phantomRuns(network)) {
      rows.push(line(name, engine, difference));
    }
  }
  return table(["run", "engine", "epoch losses", "epoch AUCs"], rows);
}

/** A run on made-up knees, where Python has PyTorch to train beside it. */
async function* phantomRuns(
  network: NetworkName,
): AsyncGenerator<{ name: string; engine: string; difference: RunDifference }> {
  const python = findPython("torch", "numpy");
  if (python === undefined) {
    progress("no Python with PyTorch: the run on made-up knees is left out");
    return;
  }
  await using folder = await TemporaryFolder.make();
  const data = folder.at("data");
  await writePhantomDataset({
    folder: data,
    train: 16,
    valid: 12,
    size: 96,
    slices: [4, 6],
    seed: 3,
  });
  const state = initialWeights(3, networkOf(network));
  const weights = folder.at("start.safetensors");
  await writeWhole(weights, encodeSafetensors(state));
  const options = {
    epochs: 3,
    lr: 1e-5,
    lr_scheduler: "plateau",
    gamma: 0.5,
    patience: 5,
  } as const;
  const series = { task: "acl", plane: "sagittal" } as const;
  const torch = async (...flags: string[]): Promise<ReferenceEpoch[]> => {
    const script = fileURLToPath(new URL("train_reference.py", import.meta.url));
    const named = Object.entries({ data, weights, network, ...series, ...options });
    const args = named.flatMap(([name, value]) => [`--${name}`, String(value)]);
    const command = new Deno.Command(python, { args: ["-B", script, ...args, ...flags] });
    const { success, stdout, stderr } = await command.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    return lines.map((text) => JSON.parse(text));
  };
  const { title } = networkOf(network);
  const suffix = network === "alexnet" ? "" : `, ${title}`;
  const name = `${options.epochs} epochs, made-up knees${suffix}`;
  progress(`${name} in PyTorch`);
  const single = await torch();
  for (const engine of chosen.filter((engine) => engine !== SLOW)) {
    progress(`${name} on ${engine}`);
    await startEngine(engine);
    const [train, valid] = await Promise.all(
      SPLITS.map((split) => openDataset({ ...series, data, split })),
    );
    const ours = await trainLike(options, { train, valid }, state);
    yield { name, engine, difference: compareRun(ours, single) };
  }
  const others = { "PyTorch in float64": "--float64", "PyTorch without oneDNN": "--no_onednn" };
  for (const [engine, flag] of Object.entries(others)) {
    progress(`${name}, ${engine}`);
    yield { name, engine, difference: compareRun(await torch(flag), single) };
  }
}

async function augmentationTable(): Promise<string> {
  const rows: string[][] = [];
  for (const engine of chosen) {
    progress(`resampling on ${engine}`);
    await startEngine(engine);
    let [pixels, logits] = [0, 0];
    for (const reference of AUGMENTATION_CASES) {
      pixels = Math.max(pixels, await compareAugmentation(reference));
    }
    for (const step of engine === SLOW ? [] : AUGMENTED_STEPS) {
      logits = Math.max(logits, await compareAugmentedStep(step));
    }
    rows.push(told([engine, shown(pixels), shown(engine === SLOW ? undefined : logits)]));
  }
  rows.push(["tested for", shown(AUGMENTATION_TOLERANCE), shown(AUGMENTED_STEP_TOLERANCE)]);
  return table(["engine", "pixels, of 0–255", "logits of a resampled exam"], rows);
}

/** Tells a row as soon as it is there. */
function told(row: string[]): string[] {
  progress(`  ${row.join(" | ")}`);
  return row;
}

function progress(what: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${what}\n`));
}

if (import.meta.main) {
  const found: string[] = [];
  if (tables.includes("exams")) {
    for (const network of networks) found.push(await networkTable(network));
  }
  if (tables.includes("runs")) found.push(await runTable());
  if (tables.includes("resampling") && networks.includes("alexnet")) {
    found.push(await augmentationTable());
  }
  Deno.stdout.writeSync(new TextEncoder().encode(`${found.join("\n\n")}\n`));
  Deno.exit(0);
}
