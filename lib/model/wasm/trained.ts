/** What a step trains, and how far back gradients have to go for it. */
import { type LayerLayout, vectorsOf } from "./parameters.ts";
import type { Setting } from "./thread_writer.ts";

/** Whether no step changes a layer's filters, nor the batch normalisation that is folded into them. */
export function keepsFilters({ frozen }: Setting, layer: LayerLayout): boolean {
  const folded = layer.batchNorm === undefined ? [] : vectorsOf(layer);
  return frozen.has(`${layer.name}.weight`) && folded.every(([name]) => frozen.has(name));
}

/** The first layer that a step changes: gradients end there. If there is none, as many as there are layers. */
export function firstTrained({ frozen, layout: { layers } }: Setting): number {
  const first = layers.findIndex((layer) =>
    [[`${layer.name}.weight`], ...vectorsOf(layer)].some(([name]) => !frozen.has(name))
  );
  return first < 0 ? layers.length : first;
}

/** Whether the gradient of what a layer reads is needed; the image needs none. */
export function passesGradient(setting: Setting, { source }: LayerLayout): boolean {
  return source >= firstTrained(setting);
}
