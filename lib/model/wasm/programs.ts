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

/**
 * What a thread is to do. To evaluate, the weights must be packed; to train, those of the layers that no
 * step changes: that is `packFrozen`, and `pack` is for all others.
 */
export type ProgramName = "train" | "evaluate" | "pack" | "packFrozen";

/** The program of one thread. */
export function threadProgram(setting: Setting, thread: number, name: ProgramName): Int32Array {
  const writer = new ThreadWriter(setting, thread);
  const frozen = (layer: LayerLayout) => _keepsFilters(layer, setting.frozen);
  const trained = (layer: LayerLayout) => !frozen(layer);
  switch (name) {
    case "train": {
      const back = !_areFeaturesFrozen(setting);
      packForward(writer, trained);
      if (back) packBackward(writer, trained);
      // Without anything to pack there is nothing to wait for.
      if (!frozenLayers(setting).all) writer.program.barrier();
      forward(writer);
      writer.program.barrier();
      clearGradient(writer);
      head(writer);
      if (back) {
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
      if (setting.training && !_areFeaturesFrozen(setting)) packBackward(writer, frozen);
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
export function frozenLayers({ layout, frozen }: Setting): { some: boolean; all: boolean } {
  const kept = layout.layers.map((layer) => _keepsFilters(layer, frozen));
  return { some: kept.includes(true), all: !kept.includes(false) };
}

/** Whether no step changes a layer's filters, nor the batch normalisation that is folded into them. */
function _keepsFilters(layer: LayerLayout, frozen: ReadonlySet<string>): boolean {
  const folded = layer.batchNorm === undefined ? [] : vectorsOf(layer);
  return frozen.has(`${layer.name}.weight`) && folded.every(([name]) => frozen.has(name));
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

/** Whether no convolution is trained, so that there is no backward pass through them. */
function _areFeaturesFrozen({ layout: { layers }, frozen }: Setting): boolean {
  return layers.every((layer) =>
    frozen.has(`${layer.name}.weight`) && vectorsOf(layer).every(([name]) => frozen.has(name))
  );
}
