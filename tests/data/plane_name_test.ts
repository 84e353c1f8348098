import assert from "node:assert/strict";
import { planeOfName } from "../../lib/data/plane_name.js";
import type { Plane } from "../../lib/terms.ts";

Deno.test("a file's name speaks of a plane by its word or its first letters, or of none", () => {
  const named = {
    "knee_sagittal.npy": "sagittal",
    "Coronal T2.npy": "coronal",
    "0012AXIAL.npy": "axial",
    "12-cor.npy": "coronal",
    "SAG": "sagittal",
    "ax.npy": undefined,
    "corner.npy": undefined,
    "axi0012.npy": "axial",
    "0012.npy": undefined,
    "": undefined,
    "sagittal_not_axial.npy": undefined,
  };
  for (const [name, wanted] of Object.entries(named)) {
    const plane: Plane | undefined = planeOfName(name);
    assert.equal(plane, wanted, name);
  }
});
