/**
 * A logger of one's own: `onExam` hears of each exam, `onEpoch` of each epoch and is waited for.
 *
 * A line of JSON an epoch, and the model of the best epoch in a file.
 *
 * ```sh
 * deno run -A examples/custom_logger.ts
 * ```
 */
// deno-lint-ignore-file no-console
import { createMRNet, saveMRNet, train } from "../mod.ts";
import { makeKnees, TRAINING } from "./knees.ts";

const { data, train: knees, valid } = await makeKnees();
const [log, kept] = [`${data}/log.jsonl`, `${data}/best.safetensors`];

using model = await createMRNet({ weights: "none", seed: 1 });
let hardest = { id: "", loss: -Infinity };
await train(model, { train: knees, valid }, {
  ...TRAINING,
  onExam: ({ phase, id, loss }) => {
    if (phase === "valid" && loss > hardest.loss) hardest = { id, loss };
  },
  onEpoch: async ({ epoch, trainLoss, valLoss, valAuc, isBest }) => {
    const line = JSON.stringify({ epoch, trainLoss, valLoss, valAuc, hardest: hardest.id });
    console.log(line);
    await Deno.writeTextFile(log, `${line}\n`, { append: true });
    // The parameters do not change until this function is done.
    if (isBest) await saveMRNet(model, kept, { task: "acl", plane: "sagittal" });
    hardest = { id: "", loss: -Infinity };
  },
});
console.log(`The log: ${log}\nThe best model: ${kept}`);
