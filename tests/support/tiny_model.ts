/**
 * A model of two parameters that reads exams in no time, for tests of what goes on around a model.
 */
import type { Dataset } from "../../lib/data/dataset.ts";
import type { Exam } from "../../lib/data/exam.ts";
import type { MRNet } from "../../lib/model/mrnet.ts";
import type { Label } from "../../lib/terms.ts";
import * as tf from "./tf.ts";

/**
 * Logit 1 is `weight · mean / 100 + bias`, logit 0 its negative: whatever is brighter is more likely
 * to show the finding, as long as the weight is above 0.
 */
export function tinyModel(weight = 0.1): MRNet {
  const parameters = new Map([
    ["weight", tf.tidy(() => tf.variable(tf.scalar(weight)))],
    ["bias", tf.tidy(() => tf.variable(tf.scalar(0)))],
  ]);
  const model = {
    parameters,
    intensity: "raw",
    logits(exam: tf.Tensor3D): tf.Tensor2D {
      return tf.tidy(() => {
        const mean = tf.div(tf.mean(exam), 100);
        const logit = tf.add(tf.mul(mean, parameters.get("weight")!), parameters.get("bias")!);
        return tf.reshape(tf.stack([tf.neg(logit), logit]), [1, 2]);
      });
    },
    stateDict: () => {
      const values = [...parameters].map(([name, each]) =>
        [name, { shape: [], data: each.dataSync().slice() }] as const
      );
      return Promise.resolve(new Map(values));
    },
    dispose: () => parameters.forEach((parameter) => parameter.dispose()),
  };
  // The class has private fields, so nothing but itself is of its type.
  return model as unknown as MRNet;
}

/** An exam in memory: its label and the value of all its voxels. */
export type TinyExam = readonly [label: Label, value: number];

/** A dataset in memory that keeps a list of the reads. */
export interface TinyDataset extends Dataset {
  /** The ids, in the order in which they were read. */
  readonly reads: string[];
}

/**
 * Exams of one slice of 4×4 voxels; their ids are `first` and the numbers after it.
 *
 * @param onRead called with the id before an exam is given; may throw
 */
export function tinyDataset(
  exams: readonly TinyExam[],
  first = 0,
  onRead: (id: string) => void = () => {},
): TinyDataset {
  const labels = exams.map(([label], i) => ({ id: String(first + i).padStart(4, "0"), label }));
  const reads: string[] = [];
  // deno-lint-ignore require-await -- what it throws must be a rejection
  const read = async (index: number): Promise<Exam> => {
    const { id } = labels[index];
    reads.push(id);
    onRead(id);
    const voxels = new Float32Array(16).fill(exams[index][1]);
    return { id, slices: 1, height: 4, width: 4, voxels };
  };
  return { labels, read, reads };
}
