/**
 * A whole training from the same weights on the same exams gives PyTorch's losses and AUCs, epoch by
 * epoch, and takes the same decisions.
 */
import assert from "node:assert/strict";
import { startEngine } from "../../lib/engine/engine.ts";
import { writeWhole } from "../../lib/files.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import { onEachEngine } from "../support/engines.ts";
import { NUMPY_DATASET, TemporaryFolder } from "../support/folders.ts";
import { testWithPython } from "../support/python.ts";
import { WHOLE_RUN_TOLERANCES } from "../support/tolerances.ts";
import {
  compareRun,
  FIXTURE_RUN,
  openFixture,
  type ReferenceEpoch,
  type ReferenceOptions,
  RESNET18_RUN,
  SEEDED_RUN,
  startingState,
  trainLike,
  type WholeRun,
} from "../support/whole_run_golden.ts";

function assertSameRun(ours: ReferenceEpoch[], theirs: ReferenceEpoch[]): void {
  const decisions = (epochs: ReferenceEpoch[]) =>
    epochs.map(({ epoch, lr, stopped }) => ({ epoch, lr, stopped }));
  assert.deepEqual(decisions(ours), decisions(theirs));
  const { epochLoss, epochAuc } = compareRun(ours, theirs);
  assert(epochLoss <= WHOLE_RUN_TOLERANCES.epochLoss, `losses differ by ${epochLoss}`);
  assert(epochAuc <= WHOLE_RUN_TOLERANCES.epochAuc, `AUCs differ by ${epochAuc}`);
}

const RUNS: [string, WholeRun][] = [
  ["on the dataset in tests/fixtures", FIXTURE_RUN],
  ["of ResNet-18 on the dataset in tests/fixtures", RESNET18_RUN],
  ["that falls to a lower rate and stops early", SEEDED_RUN],
];

for (const [what, { network, reference, datasets }] of RUNS) {
  onEachEngine(`a run ${what} is PyTorch's`, async () => {
    const ours = await trainLike(reference.options, await datasets(), startingState(network));
    assertSameRun(ours, reference.epochs);
    // The plain engine would take most of an hour, and WebGPU on a processor minutes for ResNet-18.
  }, { engines: network === "alexnet" ? ["webgpu", "wasm"] : ["wasm"] });
}

testWithPython(
  "PyTorch here and now trains our own weights to the same losses and AUCs",
  ["torch", "numpy"],
  async (run) => {
    await using folder = await TemporaryFolder.make();
    const state = initialWeights(3);
    await writeWhole(folder.at("start.safetensors"), encodeSafetensors(state));
    const options: ReferenceOptions = {
      epochs: 3,
      lr: 1e-5,
      lr_scheduler: "plateau",
      gamma: 0.5,
      patience: 5,
    };
    const printed = await run(
      new URL("../../tools/train_reference.py", import.meta.url),
      ...["--data", NUMPY_DATASET, "--task", "meniscus", "--plane", "coronal"],
      ...["--weights", folder.at("start.safetensors")],
      ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    );
    const theirs = printed.split("\n").map((line): ReferenceEpoch => JSON.parse(line));
    await startEngine("wasm");
    const ours = await trainLike(options, await openFixture(), state);
    assertSameRun(ours, theirs);
  },
);
