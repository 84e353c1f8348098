/**
 * MRNet's step as lists of kernel calls, one list a thread.
 *
 * All threads run the same step, each on its share, and meet four times:
 *
 * - weights: every `threads`-th panel is packed, of the layers that steps change;
 * - forward: every `threads`-th slice;
 * - backward: every `threads`-th of the slices that a channel selected;
 * - Adam: a range of the parameters.
 *
 * A thread adds up gradients of its own. These are summed in the order of the threads, so a number of
 * threads always gives the same bits.
 */
import { unfoldGradient } from "./batch_norm.ts";
import { backward, clearGradient, head } from "./backward.ts";
import { forward } from "./forward.ts";
import { packBackward, packForward } from "./pack.ts";
import { HEAD } from "../names.ts";
import { type LayerLayout, type NetworkLayout, vectorsOf } from "./parameters.ts";
import { type Setting, ThreadWriter } from "./thread_writer.ts";
import { firstTrained, keepsFilters, passesGradient } from "./trained.ts";

/**
 * What a thread is to do. To evaluate, the weights must be packed; to train, those of the layers that no
 * step changes: that is `packFrozen`, and `pack` is for all others.
 */
export type ProgramName = "train" | "evaluate" | "pack" | "packFrozen";

/** The program of one thread. */
export function threadProgram(setting: Setting, thread: number, name: ProgramName): Int32Array {
  const writer = new ThreadWriter(setting, thread);
  const frozen = (layer: LayerLayout) => keepsFilters(setting, layer);
  const trained = (layer: LayerLayout) => !frozen(layer);
  const passing = (layer: LayerLayout) => passesGradient(setting, layer);
  switch (name) {
    case "train": {
      packForward(writer, trained);
      packBackward(writer, (layer) => trained(layer) && passing(layer));
      // Without anything to pack there is nothing to wait for.
      if (!frozenLayers(setting).all) writer.program.barrier();
      forward(writer);
      writer.program.barrier();
      clearGradient(writer);
      head(writer);
      if (firstTrained(setting) < setting.layout.layers.length) {
        backward(writer);
        unfoldGradient(writer);
      }
      writer.program.barrier();
      adam(writer);
      break;
    }
    case "pack":
      packForward(writer, trained);
      break;
    case "packFrozen":
      packForward(writer, frozen);
      if (setting.training) packBackward(writer, (layer) => frozen(layer) && passing(layer));
      break;
    case "evaluate":
      forward(writer);
      break;
    default:
      name satisfies never;
  }
  writer.program.barrier();
  return writer.program.words();
}

/** Whether steps leave the filters of some layers, or of all, as they are. */
export function frozenLayers(setting: Setting): { some: boolean; all: boolean } {
  const kept = setting.layout.layers.map((layer) => keepsFilters(setting, layer));
  return { some: kept.includes(true), all: !kept.includes(false) };
}

/** Moves this thread's range of the parameters. */
function adam(writer: ThreadWriter): void {
  const { layout, fixed, threads, frozen } = writer.setting;
  const { parameters, first, second, gradients, gradientBytes, adam } = fixed;
  for (const [start, floats, from] of _stretches(layout, frozen)) {
    const vectors = floats / 4;
    const startOf = (thread: number) => 4 * Math.floor(vectors * thread / threads);
    const skip = startOf(writer.thread);
    const count = startOf(writer.thread + 1) - skip;
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

/** Where parameters to be moved begin, how many floats they are, and where their gradient begins. */
function _stretches(
  { layers: [first, ...others], linear, floats: end }: NetworkLayout,
  frozen: ReadonlySet<string>,
): [start: number, floats: number, from: number][] {
  const stretches: [number, number, number][] = [];
  // The first layer's three input channels share one gradient.
  if (!frozen.has(`${first.name}.weight`)) {
    for (let input = 0; input < first.inputs; input++) {
      stretches.push([input * first.floats, first.floats, 0]);
    }
  }
  const blocks = vectorsOf(first);
  for (const layer of others) {
    blocks.push([`${layer.name}.weight`, layer.weight], ...vectorsOf(layer));
  }
  blocks.push([`${HEAD}.weight`, linear.weight], [`${HEAD}.bias`, linear.bias]);
  let open = false;
  blocks.forEach(([name, start], index) => {
    if (frozen.has(name)) {
      open = false;
      return;
    }
    const floats = (blocks[index + 1]?.[1] ?? end) - start;
    // What lies together is moved together.
    if (open) stretches.at(-1)![1] += floats;
    else stretches.push([start, floats, start]);
    open = true;
  });
  return stretches;
}
