/**
 * MRNet's step as lists of kernel calls, one list a thread.
 *
 * All threads run the same step, each on its share: weights are packed panel by panel; forward runs on
 * every `threads`-th slice; what follows the maximum runs on every `threads`-th of the slices that won
 * one; Adam on a stretch of the parameters. They meet four times. A thread adds up gradients of its own,
 * and these are summed in the order of the threads, so a number of threads always gives the same bits.
 *
 * @module
 */
import { backward, clearGradient, head } from "./backward.ts";
import { forward } from "./forward.ts";
import { packBackward, packForward } from "./pack.ts";
import { CONVOLUTIONS, PARAMETER_FLOATS } from "./parameters.ts";
import { type Setting, ThreadWriter } from "./thread_writer.ts";

/** What a thread is to do. */
export type ProgramName = "train" | "judge" | "pack";

/** The program of one thread. */
export function threadProgram(setting: Setting, thread: number, work: ProgramName): Int32Array {
  const writer = new ThreadWriter(setting, thread);
  switch (work) {
    case "train":
      packForward(writer);
      packBackward(writer);
      writer.program.barrier();
      forward(writer);
      writer.program.barrier();
      clearGradient(writer);
      head(writer, true);
      backward(writer);
      writer.program.barrier();
      adam(writer);
      break;
    case "pack":
      packForward(writer);
      break;
    case "judge":
      forward(writer);
      writer.program.barrier();
      head(writer, false);
      break;
    default:
      work satisfies never;
  }
  writer.program.barrier();
  return writer.program.words();
}

/** Moves this thread's stretch of the parameters. */
function adam(writer: ThreadWriter): void {
  const { fixed, threads } = writer.setting;
  const { parameters, first, second, gradients, gradientBytes, adam } = fixed;
  const { size, inputs } = CONVOLUTIONS[0];
  // The first layer's three input channels share one gradient.
  const stretches = [...Array(inputs).keys()].map((input) => [input * size, size, 0]);
  stretches.push([inputs * size, PARAMETER_FLOATS - inputs * size, inputs * size]);
  for (const [start, floats, from] of stretches) {
    const vectors = floats / 4;
    const cut = (part: number) => 4 * Math.floor(vectors * part / threads);
    const skip = cut(writer.thread);
    const count = cut(writer.thread + 1) - skip;
    const moved = 4 * (start + skip);
    writer.program.call("adam", {
      parameter: parameters + moved,
      first: first + moved,
      second: second + moved,
      gradient: gradients[0] + 4 * (from + skip),
      stride: gradientBytes,
      threads,
      count,
      settings: adam,
    });
  }
}
