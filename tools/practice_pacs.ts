/**
 * `deno run -A --lock=deno.dev.lock tools/practice_pacs.ts PORT FOLDER…`: a PACS in memory with the DICOM
 * files of these folders, for this machine alone, until Ctrl-C. To try `watch`, `predict --dicomweb` and the
 * viewer without a hospital's. `tools/phantom_dicom.ts` makes a study to put into it.
 */
import { FakePacs } from "../tests/support/fake_pacs.ts";

const [port, ...folders] = Deno.args;
if (folders.length === 0 || !/^\d{1,5}$/.test(port)) {
  throw new Error("usage: tools/practice_pacs.ts PORT FOLDER…");
}
const pacs = new FakePacs(Number(port));
for (const folder of folders) {
  for await (const { name } of Deno.readDir(folder)) {
    await pacs.take([await Deno.readFile(`${folder}/${name}`)]);
  }
}
// deno-lint-ignore no-console -- the address is what it prints
console.log(pacs.url);
