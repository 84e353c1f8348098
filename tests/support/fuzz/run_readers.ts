/** The readers of what a run keeps: its settings, its state, its event files. */
import { DataError, WeightsError } from "../../../lib/errors.ts";
import { EventWriter } from "../../../lib/logs/tensorboard.ts";
import { encodeRecord } from "../../../lib/logs/tfrecord.ts";
import { MRNET_PARAMETERS } from "../../../lib/model/weights/mrnet.ts";
import { MAX_HEADER_BYTES } from "../../../lib/model/weights/safetensors_header.ts";
import { bytesSource, type Source } from "../../../lib/model/weights/source.ts";
import { elementCount } from "../../../lib/model/weights/tensors.ts";
import type { TrainProgress } from "../../../lib/train/progress.ts";
import type { RunSettings } from "../../../lib/train/kept_settings.ts";
import { parseRunConfig } from "../../../lib/train/run_config.ts";
import {
  decodeRunStateHeader,
  readRunState,
  readRunStateFrom,
} from "../../../lib/train/run_state.ts";
import type { FuzzReader, Seed } from "./case.ts";
import { joined } from "./mutate.ts";
import { decodeRecords, readEvents } from "../events.ts";
import { encoder, promise } from "./seeds.ts";
import { LANDMARKS } from "./weights_readers.ts";

/** The settings of a run, by the names of the command line. */
export const RUN_SETTINGS = {
  ...{ task: "acl", plane: "axial", prefix_name: "mrnet", recipe: "reference", intensity: "raw" },
  ...{ loss_weights: "output", epochs: 50, lr: 1e-5, lr_scheduler: "plateau", gamma: 0.5 },
  ...{ patience: 5, plateau_patience: 3, plateau_factor: 0.3, weight_decay: 0.1, augment: true },
  ...{ rotation: 25, shift: 0.11, flip: 0.5, shuffle: true, seed: 7, tune: 0.1, tune_seed: 0 },
  ...{ data: "data", models: "models", logs: "logs", weights: "imagenet", save_model: true },
};

function checkSettings(settings: RunSettings): void {
  for (const [name, value] of Object.entries(settings)) {
    promise(["string", "number", "boolean"].includes(typeof value), `'${name}' is no scalar`);
    const isOptional = ["skip_bad_exams", "any_range", "card"].includes(name);
    promise(isOptional || name in RUN_SETTINGS, `'${name}' is no setting`);
  }
}

function runConfig(): FuzzReader {
  const adapter = { vendor: "v", device: "d", architecture: "", description: "Mesa" };
  const start = { engine: "webgpu on d", adapter, started: "2026-01-02T03:04:05.000Z" };
  const begun = { ...RUN_SETTINGS, ...start };
  const goneOn = {
    ...begun,
    shift: "25px",
    skip_bad_exams: true,
    any_range: true,
    resumed: [{ epoch: 2, ...start }],
  };
  return {
    name: "config",
    seeds: [begun, goneOn].map((each, at) => ({
      name: `config ${at}`,
      bytes: encoder.encode(JSON.stringify(each, null, 2)),
    })),
    refuses: WeightsError,
    read(bytes) {
      const { settings, resumed } = parseRunConfig(new TextDecoder().decode(bytes), "config.json");
      checkSettings(settings);
      promise(resumed.every(({ epoch }) => Number.isSafeInteger(epoch)), "an epoch that is none");
    },
  };
}

/** What a run's state says beside its tensors. */
const SAID = [true, false].map((whole) => {
  const said = {
    run: "0f8fad5b-d9cb-469f-a165-70867728950e",
    folder: "logs/acl/axial/20260102-030405",
    config: RUN_SETTINGS,
    labels: { train: "ab12", valid: "cd34" },
    landmarks: whole ? LANDMARKS : undefined,
    computed: { engine: "wasm", threads: 2, precision: "float32" },
    checkpoint: "model_mrnet_acl_axial_val_auc_0.5000_train_auc_0.5000_epoch_1.safetensors",
    events: { name: "events.out.tfevents.1700000000.mrnet", size: 4096 },
    steps: 3,
    epochs: [[0.5, 0.5, 0.25, "NaN", "Infinity", 1e-5, 12.5, true]],
    train: [[0.6931, 0.125, -0.125], null, [0.5, 1e-300, 7]],
    valid: [],
    seconds: 3.25,
    skipped: [{ split: "train", id: "0007", reason: "Cannot read it" }],
  };
  return JSON.stringify(
    whole ? said : { ...said, epochs: [], train: [], checkpoint: undefined, steps: 0 },
  );
});

function checkProgress({ train, valid }: TrainProgress): void {
  const passed = [...train, ...valid].flatMap((each) => each ?? []);
  promise(passed.every(Number.isFinite), "metrics that are not finite");
}

function state(): FuzzReader {
  return {
    name: "state",
    seeds: SAID.map((text, at) => ({ name: `state ${at}`, bytes: encoder.encode(text) })),
    refuses: WeightsError,
    read(bytes) {
      const said = decodeRunStateHeader(new TextDecoder().decode(bytes), "state");
      const { config, progress, steps } = said;
      checkSettings(config);
      for (const { id, reason } of progress.skipped) {
        promise(!/\p{Cc}/u.test(id + reason) && reason.length <= 500, "what commands a terminal");
      }
      promise(Number.isSafeInteger(steps) && steps >= 0, `${steps} steps`);
      checkProgress(progress);
    },
    limit: MAX_HEADER_BYTES,
  };
}

/** Whole files of states: the header is damaged, or what it says; the tensors, 30 MB of zeros, are not. */
function stateFile(): FuzzReader {
  let behind = 0;
  const tensors = ["", "adam.first.", "adam.second."].flatMap((begin) =>
    MRNET_PARAMETERS.map(({ name, shape }) => {
      const from = behind;
      behind += 4 * elementCount(shape)!;
      return [begin + name, { dtype: "F32", shape, data_offsets: [from, behind] }] as const;
    })
  );
  const header = (state: string) => {
    const metadata = { format: "mrnet-run", version: "1", state };
    return encoder.encode(
      JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(tensors) }),
    );
  };
  const wrap = (text: Uint8Array) => {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
    return joined(length, text);
  };
  const seeds = SAID.flatMap((text, at): Seed[] => [
    { name: `header of state ${at}`, bytes: header(text), wrap },
    {
      name: `state ${at}`,
      bytes: encoder.encode(text),
      wrap: (bytes) => wrap(header(new TextDecoder().decode(bytes))),
    },
  ]);
  return {
    name: "state-file",
    seeds,
    refuses: WeightsError,
    read(bytes) {
      const { parameters, progress } = readRunStateFrom(zerosBehind(bytes, behind));
      promise(parameters.size === MRNET_PARAMETERS.length, `${parameters.size} parameters`);
      checkProgress(progress);
    },
    limit: MAX_HEADER_BYTES,
    behind,
    readFile: readRunState,
    extension: ".safetensors",
  };
}

/** A file of these bytes and so many zeros after them. */
function zerosBehind(bytes: Uint8Array, count: number): Source {
  const start = bytesSource(bytes, "a");
  const size = bytes.length + count;
  return {
    ...start,
    size,
    read(offset, length) {
      if (offset + length <= bytes.length) return start.read(offset, length);
      const range = new Uint8Array(offset + length <= size ? length : 0);
      range.set(bytes.subarray(Math.min(offset, bytes.length)));
      return range;
    },
  };
}

async function events(): Promise<FuzzReader> {
  const folder = await Deno.makeTempDir({ prefix: "mrnet-fuzz-" });
  const writer = await EventWriter.create(folder);
  for (let step = 0; step < 3; step++) writer.scalar("Train/Loss", 1 / (step + 1), step, 1.5e9);
  await writer.close();
  const whole = Deno.readFileSync(writer.path);
  await Deno.remove(folder, { recursive: true });
  const records = [...decodeRecords(whole, "a")];
  return {
    name: "events",
    seeds: [
      { name: "an event file", bytes: whole },
      ...records.map((bytes, index): Seed => ({
        name: `record ${index}`,
        bytes,
        wrap: (bytes) => encodeRecord(bytes),
      })),
    ],
    refuses: DataError,
    read(bytes) {
      for (const { step, scalars } of readEvents(bytes, "a")) {
        promise(Number.isInteger(step), `the step ${step}`);
        promise(scalars.every(({ value }) => typeof value === "number"), "no number");
      }
    },
    limit: 4 * 1024 * 1024,
    readFile: async (path) => readEvents(await Deno.readFile(path), path),
    extension: ".tfevents",
  };
}

/** These readers. */
export async function runReaders(): Promise<FuzzReader[]> {
  return [runConfig(), state(), stateFile(), await events()];
}
