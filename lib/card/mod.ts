/**
 * The card of a model: what its file says, as text, as a README of the Hugging Face Hub, and as a MONAI
 * bundle.
 *
 * ```ts
 * import { card, createMRNet, saveMRNet } from "../../mod.ts";
 * const folder = await Deno.makeTempDir();
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * await saveMRNet(model, `${folder}/acl.safetensors`, { task: "acl", plane: "axial" });
 * const described = await card.describeModel(`${folder}/acl.safetensors`);
 * const files = await card.writeBundle(described, `${folder}/bundle`);
 * console.assert(files.length === 4);
 * ```
 *
 * @module
 */
export * from "./verbs.ts";
export type { CardHints, Described, DescribedCombination, DescribedEnsemble } from "./describe.ts";
export type { DescribedSingle, ModelDescription } from "./describe.ts";
export type { ModelResults, ResultMetric } from "./results.ts";
export type { CardRow, CardSection } from "./rows.ts";
export type { CardText } from "../model/card_text.ts";
export type { MadeBy } from "../model/made_by.ts";
