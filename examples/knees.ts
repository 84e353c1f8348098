/**
 * Made-up knees for the examples, in a temporary folder.
 *
 * With `--quick` there are so few of them, and so few epochs, that an example only shows that it runs:
 * nothing can be learnt then.
 */
import { type Dataset, openDataset, phantom } from "../mod.ts";

/** Whether the example is only tried. */
export const QUICK = Deno.args.includes("--quick");

/** How many epochs are enough to learn something from these knees. */
export const EPOCHS = QUICK ? 1 : 3;

/** What all examples train with: random weights and few exams take a higher rate than MRNet does. */
export const TRAINING = {
  epochs: EPOCHS,
  learningRate: 2e-4,
  schedule: "none",
  augment: false,
  seed: 1,
} as const;

/** Which exams are opened. */
const EXAMS = { task: "acl", plane: "sagittal", inMemory: true } as const;

/** Knees to train on and knees to validate on, half of them with a torn ligament. */
export interface Knees {
  /** The folder, in MRNet's layout. */
  data: string;
  train: Dataset;
  valid: Dataset;
}

/** Makes them; who calls removes the folder, or lets the system do it. */
export async function makeKnees(): Promise<Knees> {
  const data = await Deno.makeTempDir({ prefix: "knees-" });
  const share = { abnormal: 0.6, acl: 0.5, meniscus: 0.4 };
  await phantom.writePhantomDataset({
    folder: data,
    train: QUICK ? 6 : 40,
    valid: QUICK ? 4 : 24,
    size: 64,
    slices: QUICK ? [2, 2] : [3, 3],
    prevalence: { train: share, valid: share },
    seed: 1,
  });
  return {
    data,
    train: await openDataset({ data, split: "train", ...EXAMS }),
    valid: await openDataset({ data, split: "valid", ...EXAMS }),
  };
}
