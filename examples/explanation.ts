/**
 * Where an answer comes from: the logit taken apart into the slices, and a picture of it.
 *
 * ```sh
 * deno run -A examples/explanation.ts
 * ```
 */
// deno-lint-ignore-file no-console
import { createMRNet, explain, pictures, train } from "../mod.ts";
import { makeKnees, TRAINING } from "./knees.ts";

const { data, train: knees, valid } = await makeKnees();
using model = await createMRNet({ weights: "none", seed: 1 });
await train(model, { train: knees, valid }, TRAINING);

const torn = valid.labels.findIndex(({ label }) => label === 1);
const exam = await valid.read(torn);
const explanation = await explain(model, exam);
const { probability, bias, slices, logits } = explanation;
console.log(`Exam ${exam.id}, with a torn ligament: probability ${probability.toFixed(3)}`);
for (const [index, { share, channelsSelected }] of slices.entries()) {
  console.log(
    `  slice ${index}: ${share.toFixed(3)} of the logit, by ${channelsSelected} channels`,
  );
}
const sum = slices.reduce((sum, { share }) => sum + share, bias);
console.log(
  `  with the bias ${bias.toFixed(3)} it is ${sum.toFixed(3)}; the logit is ${
    logits[1].toFixed(3)
  }`,
);

const sheet = `${data}/sheet.png`;
const picture = pictures.contactSheet(exam, explanation, "acl · sagittal");
await Deno.writeFile(sheet, await pictures.encodePng(picture));
console.log(`The contact sheet: ${sheet}`);
