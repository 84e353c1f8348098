/** The state of a run over all tasks and planes, written as earlier versions wrote it. */
import { encodeDoneModel } from "../../lib/plan/done_model.ts";
import type { RunAllState } from "../../lib/plan/run_all/state.ts";

/** The text of a state, which `parseState` reads. */
export function formatState({ config, models, running, alongside }: RunAllState): string {
  const coded = Object.entries(models).map(([key, model]) => [key, encodeDoneModel(model)]);
  const all = { config, models: Object.fromEntries(coded), running, alongside };
  return JSON.stringify({ format: "mrnet-run-all", version: 2, ...all });
}
