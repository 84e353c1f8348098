/**
 * What a run has left, without what two runs of the same kind differ in: times, and where they are.
 */
import { readSafetensorsHeader } from "../../lib/model/weights/safetensors.ts";
import { readRunState } from "../../lib/train/run_state.ts";
import { readEvents } from "./events.ts";
import { decodeSafetensors } from "./weights.ts";

/** Everything that must be equal, to the bit. */
export interface RunOutcome {
  /** `history.csv` without the seconds. */
  history: string[];
  /** Every scalar in the order of the event files, as `tag step value`. */
  scalars: string[];
  /** The models' names, each with the hash of its tensors' bytes and the exams it was chosen by. */
  models: string[];
  /** The hash of the parameters' and the moments' bytes, and how many steps were taken. */
  state: string;
  /** The exams that `config.json` says were left out. */
  skipped: string[];
}

/** Reads it from a run's log folder and from the folder of models. */
export async function outcomeOf(logFolder: string, models: string): Promise<RunOutcome> {
  const names = await _names(logFolder);
  const scalars: string[] = [];
  for (const name of names.filter((name) => name.startsWith("events."))) {
    const events = readEvents(await Deno.readFile(`${logFolder}/${name}`), name);
    for (const { step, scalars: values } of events) {
      scalars.push(...values.map(({ tag, value }) => `${tag} ${step} ${value}`));
    }
  }
  const history = await Deno.readTextFile(`${logFolder}/history.csv`);
  const kept: string[] = [];
  for (const name of await _names(models)) {
    // An incomplete file that a kill has left is not a model.
    if (name.endsWith(".safetensors")) {
      const { metadata } = await readSafetensorsHeader(`${models}/${name}`);
      const hash = await _tensorsOf(`${models}/${name}`);
      const { trained_exams, earlier_exams, chosen_exams } = metadata;
      const trained = `trained on ${trained_exams}, before that ${earlier_exams}`;
      kept.push(`${name} ${hash} ${trained}, chosen by ${chosen_exams}`);
    }
  }
  const state = `${logFolder}/state.safetensors`;
  const { optimizer } = await readRunState(state);
  const { skipped = [] } = JSON.parse(await Deno.readTextFile(`${logFolder}/config.json`));
  return {
    history: history.split("\n").map((row) => row.replace(/,[^,]*$/, "")),
    scalars,
    models: kept,
    state: `${optimizer?.steps} ${await _tensorsOf(state)}`,
    skipped: skipped.map((each: unknown) => JSON.stringify(each)),
  };
}

/** The only run of a task and plane. */
export async function onlyRun(folder: string): Promise<string> {
  const [run, ...more] = await _names(folder);
  if (run === undefined || more.length > 0) throw new Error(`not one run: ${[run, ...more]}`);
  return `${folder}/${run}`;
}

async function _names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

async function _tensorsOf(path: string): Promise<string> {
  const bytes = await Deno.readFile(path);
  // Damage is found here and not taken for a difference.
  if (!path.endsWith("state.safetensors")) decodeSafetensors(bytes, path);
  const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const digest = await crypto.subtle.digest("SHA-256", bytes.subarray(8 + header));
  return new Uint8Array(digest).toHex().slice(0, 16);
}
