/**
 * Whole trainings: PyTorch's results of each epoch, and how far an engine is from them.
 */
import { type Dataset, openDataset } from "../../lib/data/dataset.ts";
import type { ExamSize } from "../../lib/data/exam.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import type { StateDict } from "../../lib/model/weights/tensors.ts";
import { type NetworkName, networkOf } from "../../lib/network/networks.ts";
import type { Label } from "../../lib/terms.ts";
import type { ScheduleName } from "../../lib/train/schedule.ts";
import { train } from "../../lib/train/train.ts";
import { NUMPY_DATASET } from "./folders.ts";
import { readGolden } from "./network_golden.ts";
import { seededExam, seededState } from "./seeded.ts";

/** The results of an epoch, not rounded, as tools/train_reference.py prints them. */
export interface ReferenceEpoch {
  epoch: number;
  train_loss: number;
  train_auc: number;
  val_loss: number;
  val_auc: number;
  /** The learning rate that the epoch was trained with. */
  lr: number;
  /** Whether training stopped early after it. */
  stopped: boolean;
}

/** How the reference was trained. */
export interface ReferenceOptions {
  epochs: number;
  lr: number;
  lr_scheduler: ScheduleName;
  gamma: number;
  patience: number;
}

/** A training in PyTorch. */
export interface ReferenceRun {
  options: ReferenceOptions;
  epochs: ReferenceEpoch[];
  /** How far PyTorch in float32 is from PyTorch in float64. */
  own_rounding: RunDifference;
}

interface SeededRun extends ReferenceRun, ExamSize {
  /** Seed of the first exam; each further one's is 1 higher. */
  train_seed: number;
  valid_seed: number;
  /** Of the training exams and of the validation exams. */
  labels: [Label[], Label[]];
}

const golden = await readGolden<
  { weights_seed: number; fixture: ReferenceRun; resnet18: ReferenceRun; seeded: SeededRun }
>("whole_run");

/** What is trained on. */
export interface Datasets {
  train: Dataset;
  valid: Dataset;
}

/** A training to repeat. */
export interface WholeRun {
  network: NetworkName;
  reference: ReferenceRun;
  datasets: () => Promise<Datasets>;
}

/** The dataset in tests/fixtures: exams of 2 and 3 slices of 64×64, read from files. */
export const FIXTURE_RUN: WholeRun = {
  network: "alexnet",
  reference: golden.fixture,
  datasets: openFixture,
};

/** ResNet-18 on the same dataset. */
export const RESNET18_RUN: WholeRun = {
  network: "resnet18",
  reference: golden.resnet18,
  datasets: openFixture,
};

/** Seeded exams labelled by chance: AUCs between 0.5 and 1, a lower learning rate, an early stop. */
export const SEEDED_RUN: WholeRun = {
  network: "alexnet",
  reference: golden.seeded,
  datasets: () => {
    const { train_seed, valid_seed, labels } = golden.seeded;
    const [train, valid] = [train_seed, valid_seed].map((seed, i) => ({
      labels: labels[i].map((label, index) => ({ id: String(seed + index), label })),
      read: (index: number) => Promise.resolve(seededExam(seed + index, golden.seeded)),
    }));
    return Promise.resolve({ train, valid });
  },
};

/** The weights that the trainings of a network start from. */
export function startingState(network: NetworkName): StateDict {
  return seededState(golden.weights_seed, networkOf(network));
}

/** Opens the dataset in tests/fixtures. */
export async function openFixture(): Promise<Datasets> {
  const exams = { data: NUMPY_DATASET, task: "meniscus", plane: "coronal" } as const;
  const [train, valid] = await Promise.all([
    openDataset({ ...exams, split: "train" }),
    openDataset({ ...exams, split: "valid" }),
  ]);
  return { train, valid };
}

/**
 * Trains as the reference was, without augmentation and in the order of the labels, on the current
 * engine. The results are not rounded.
 */
export async function trainLike(
  options: ReferenceOptions,
  datasets: Datasets,
  state: StateDict,
): Promise<ReferenceEpoch[]> {
  const epochs: ReferenceEpoch[] = [];
  const phases: Record<"train" | "valid", { meanLoss: number; auc: number }> = {
    train: { meanLoss: NaN, auc: NaN },
    valid: { meanLoss: NaN, auc: NaN },
  };
  const model = new MRNet(state);
  try {
    const { stopped } = await train(model, datasets, {
      epochs: options.epochs,
      learningRate: options.lr,
      schedule: options.lr_scheduler,
      gamma: options.gamma,
      patience: options.patience,
      augment: false,
      shuffle: false,
      onExam: ({ phase, meanLoss, auc }) => phases[phase] = { meanLoss, auc },
      onEpoch: ({ epoch, learningRate }) => {
        epochs.push({
          epoch,
          train_loss: phases.train.meanLoss,
          train_auc: phases.train.auc,
          val_loss: phases.valid.meanLoss,
          val_auc: phases.valid.auc,
          lr: learningRate,
          stopped: false,
        });
      },
    });
    if (stopped === "early") epochs.at(-1)!.stopped = true;
    return epochs;
  } finally {
    model.dispose();
  }
}

/** How far a training is from the reference. */
export interface RunDifference {
  /** The largest relative difference of an epoch's loss, in training or validation. */
  epochLoss: number;
  /** The largest difference of an epoch's AUC. */
  epochAuc: number;
}

/** Compares epoch by epoch, as many as there are of ours. */
export function compareRun(
  ours: readonly ReferenceEpoch[],
  theirs: readonly ReferenceEpoch[],
): RunDifference {
  const difference: RunDifference = { epochLoss: 0, epochAuc: 0 };
  ours.forEach((epoch, i) => {
    const reference = theirs[i];
    for (const loss of ["train_loss", "val_loss"] as const) {
      const relative = Math.abs(epoch[loss] / reference[loss] - 1);
      difference.epochLoss = Math.max(difference.epochLoss, relative);
    }
    for (const auc of ["train_auc", "val_auc"] as const) {
      const absolute = Math.abs(epoch[auc] - reference[auc]);
      difference.epochAuc = Math.max(difference.epochAuc, absolute);
    }
  });
  return difference;
}
