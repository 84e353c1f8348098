/** What a script needs of models: making, loading and saving them, and what their files say. */
export { createMRNet, loadMRNet, saveMRNet } from "./create.ts";
export type { CreateOptions, LoadedMRNet, LoadOptions, NetworkName } from "./create.ts";
export { decide, type Decision, DEFAULT_THRESHOLD } from "./card.ts";
export type { ChosenOn, EpochRule, ModelCard } from "./card.ts";
export type { OperatingPoint, ResolvedCard } from "./card.ts";
export type { CardText } from "./card_text.ts";
export { convertWeights } from "./verbs.ts";
export type { Conversion, ConvertOptions } from "./convert.ts";
export type { Features } from "./features.ts";
export type { ModelSource } from "./model_source.ts";
export { MRNet, type MRNetOptions, type Prediction, type ReadOptions } from "./mrnet.ts";
export type { RecalibratedOn, Recalibration } from "./recalibration.ts";
export type { NamedTensor, StateDict } from "./weights/tensors.ts";
