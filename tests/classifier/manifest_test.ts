import assert from "node:assert/strict";
import { parseManifest } from "../../lib/classifier/manifest.ts";
import { PLANES } from "../../lib/terms.ts";

Deno.test("paths of a manifest are relative to its folder, and columns may be in any order", () => {
  const text = "coronal,note,id,axial\nc/1.npy,x,knee 1,a/1.npy\n/c/2.npy,,0002,\n";
  const [one, two] = parseManifest(text, "lists/exams.csv", ["axial", "coronal"]);
  assert.deepEqual(one, {
    id: "knee 1",
    files: { axial: "lists/a/1.npy", coronal: "lists/c/1.npy" },
  });
  assert.equal(two.files.coronal, "/c/2.npy");
  const [here] = parseManifest("id,axial\n1,a.npy\n", "exams.csv", ["axial"]);
  assert.equal(here.files.axial, "a.npy");
});

Deno.test("an exam without a file of a plane is refused when it is read, not before", async () => {
  const [{ files }] = parseManifest("id,axial\n1,\n", "exams.csv", ["axial"]);
  assert.ok(typeof files.axial === "object");
  await assert.rejects(files.axial.read(), {
    name: "DataError",
    message: "Cannot predict '1': the manifest names no axial exam",
  });
});

Deno.test("a manifest that is none is refused with its lines", () => {
  const refuses = (text: string, found: string) =>
    assert.throws(() => parseManifest(text, "exams.csv", PLANES), {
      name: "DataError",
      message: `Cannot read the manifest 'exams.csv': ${found}: give a table with the columns ` +
        "id,axial,coronal,sagittal and a line for each exam",
    });
  refuses("", "it has no exams");
  refuses("id,axial\n", "line 1: there is no column coronal and no column sagittal");
  const head = "id,axial,coronal,sagittal\n";
  refuses(`${head}1,a,b\n`, "line 2: 3 values instead of 4");
  refuses(`${head},a,b,c\n`, "line 2: the id '' is empty or too long");
  refuses(`${head}1,a,b,c\n1,d,e,f\n`, "line 3: the id '1' was already in line 2");
});
