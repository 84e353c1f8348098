/** The engines that units can be handed over to. */
import { bullmq } from "./bullmq.ts";
import type { SubmitEngine, SubmitEngineName } from "./engine.ts";
import { kubernetes } from "./kubernetes.ts";
import { slurm } from "./slurm.ts";

/** Each engine by its name. */
export const SUBMIT_ENGINES: Readonly<Record<SubmitEngineName, SubmitEngine>> = {
  slurm,
  bullmq,
  kubernetes,
};

/** Their names. */
export const SUBMIT_ENGINE_NAMES = Object.keys(SUBMIT_ENGINES) as SubmitEngineName[];
