/**
 * A service of a few lines, and a client that asks it about one knee.
 *
 * ```sh
 * deno run -A examples/service.ts         # asks once and ends
 * deno run -A examples/service.ts --stay  # goes on answering until Ctrl-C
 * ```
 */
// deno-lint-ignore-file no-console
import { createHandler, createMRNet, saveMRNet } from "../mod.ts";
import { makeKnees } from "./knees.ts";

const { data, valid } = await makeKnees();
const file = `${data}/acl.safetensors`;
{
  // A model that has learnt nothing; use the path of a trained one instead.
  using model = await createMRNet({ weights: "none", seed: 1 });
  await saveMRNet(model, file, { task: "acl", plane: "sagittal" });
}

const handler = createHandler({ models: [file] });
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
const address = `http://127.0.0.1:${server.addr.port}`;
console.log(`Listening on ${address}, described at ${address}/openapi.json`);

const answer = await fetch(`${address}/v1/predict`, {
  method: "POST",
  headers: { "content-type": "application/octet-stream" },
  body: await Deno.readFile(`${data}/valid/sagittal/${valid.labels[0].id}.npy`),
});
console.log(answer.status, JSON.stringify(await answer.json(), null, 2));
if (!Deno.args.includes("--stay")) await server.shutdown();
