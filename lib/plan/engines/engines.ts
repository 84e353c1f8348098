/** The engines that units can be handed over to. */
import type { SubmitEngine, SubmitEngineName } from "./engine.ts";
import { slurm } from "./slurm.ts";

/** Each engine by its name. */
export const SUBMIT_ENGINES: Readonly<Record<SubmitEngineName, SubmitEngine>> = { slurm };

/** Their names. */
export const SUBMIT_ENGINE_NAMES = Object.keys(SUBMIT_ENGINES) as SubmitEngineName[];
