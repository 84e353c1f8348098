import assert from "node:assert/strict";
import {
  type Findings,
  type Injuries,
  type PhantomSeries,
  renderPhantom,
} from "../../lib/phantom/mod.ts";
import { type Plane, PLANES } from "../../lib/terms.ts";

const NORMAL: Findings = { abnormal: 0, acl: 0, meniscus: 0 };
const TORN_ACL: Findings = { abnormal: 1, acl: 1, meniscus: 0 };
const TORN_MENISCUS: Findings = { abnormal: 1, acl: 0, meniscus: 1 };

/** Many sagittal slices, and as few of the others as can be. */
const SAGITTAL = { axial: 1, coronal: 1, sagittal: 24 };

const SMALL = { seed: 7, exam: "train 0", findings: TORN_ACL, size: 64, slices: 3 } as const;

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** For each slice, how many pixels differ by more than `by` grey values. */
function differing(a: PhantomSeries, b: PhantomSeries, by: number): number[] {
  const area = a.size * a.size;
  return Array.from({ length: a.slices }, (_, slice) => {
    let count = 0;
    for (let at = slice * area; at < (slice + 1) * area; at++) {
      if (Math.abs(a.voxels[at] - b.voxels[at]) > by) count++;
    }
    return count;
  });
}

Deno.test("a phantom is the same bytes every time, on every machine", async () => {
  const [first, again] = [renderPhantom(SMALL), renderPhantom(SMALL)];
  const hashes: Partial<Record<Plane, string>> = {};
  for (const plane of PLANES) {
    assert.deepEqual(first[plane], again[plane]);
    hashes[plane] = (await sha256(first[plane].voxels)).slice(0, 16);
  }
  // Whoever changes what phantoms look like changes these, and says so in the changelog.
  assert.deepEqual(hashes, {
    axial: "45e7ef9b96db0598",
    coronal: "2ac67a3b29db19a8",
    sagittal: "b8cbec29b2756403",
  });
});

Deno.test("another seed or another exam is another knee", () => {
  const { anatomy } = renderPhantom(SMALL);
  assert.notDeepEqual(renderPhantom({ ...SMALL, seed: 8 }).anatomy, anatomy);
  assert.notDeepEqual(renderPhantom({ ...SMALL, exam: "train 1" }).anatomy, anatomy);
});

Deno.test("each plane has the slices and the size that were asked for", () => {
  const slices = { axial: 2, coronal: 3, sagittal: 4 };
  const exam = renderPhantom({ ...SMALL, slices });
  for (const plane of PLANES) {
    assert.equal(exam[plane].plane, plane);
    assert.equal(exam[plane].slices, slices[plane]);
    assert.equal(exam[plane].voxels.length, slices[plane] * 64 * 64);
  }
});

Deno.test("grey values use the range from air to fluid", () => {
  const exam = renderPhantom({ ...SMALL, slices: 8 });
  for (const plane of PLANES) {
    const { voxels } = exam[plane];
    assert.ok(voxels.reduce((low, value) => Math.min(low, value)) <= 3, `${plane}: no air`);
    assert.ok(voxels.reduce((high, value) => Math.max(high, value)) >= 200, `${plane}: too dark`);
    assert.ok(new Set(voxels).size > 180, `${plane}: few grey values`);
    const mean = voxels.reduce((sum, value) => sum + value, 0) / voxels.length;
    assert.ok(mean > 30 && mean < 130, `${plane}: mean ${mean}`);
  }
});

/** Scanner axes: through the slices, along a row, along a column. */
const AXES = { sagittal: [0, 1, 2], coronal: [1, 0, 2], axial: [2, 0, 1] } as const;

/** Where the leg begins and ends, in mm, on the line along `axis` through the point `at`. */
function legOnLine(series: PhantomSeries, axis: number, at: readonly number[]): [number, number] {
  const [through, across, down] = AXES[series.plane];
  const { size, slices, centre, pixelSpacing, sliceSpacing, voxels } = series;
  const index = (axis: number, spacing: number, count: number) =>
    Math.round((at[axis] - centre[axis]) / spacing + (count - 1) / 2);
  const slice = index(through, sliceSpacing, slices);
  const still = index(axis === across ? down : across, pixelSpacing, size);
  const inside: number[] = [];
  for (let k = 0; k < size; k++) {
    const [row, column] = axis === across ? [still, k] : [k, still];
    if (voxels[(slice * size + row) * size + column] > 35) inside.push(k);
  }
  const position = (k: number) => centre[axis] + (k - (size - 1) / 2) * pixelSpacing;
  return [position(inside[0]), position(inside[inside.length - 1])];
}

Deno.test("the three planes show the same knee at the same position", () => {
  for (const exam of ["a", "b"]) {
    const knee = renderPhantom({ ...SMALL, exam, findings: NORMAL, size: 128, slices: 16 });
    for (const height of [-30, -10, 5]) {
      const at = [0, 5, height];
      const width = [knee.coronal, knee.axial].map((series) => legOnLine(series, 0, at));
      const depth = [knee.sagittal, knee.axial].map((series) => legOnLine(series, 1, at));
      for (const [one, other] of [width, depth]) {
        assert.ok(one[1] - one[0] > 60, "the leg is not there");
        for (const end of [0, 1]) {
          assert.ok(Math.abs(one[end] - other[end]) < 5, `${exam}: ${one} and ${other}`);
        }
      }
    }
  }
});

Deno.test("a left knee is not a right knee turned around: both sides occur", () => {
  const sides = ["a", "b", "c", "d", "e", "f", "g", "h"].map((exam) =>
    renderPhantom({ ...SMALL, exam, slices: 1 }).anatomy.side
  );
  assert.deepEqual([...new Set(sides)].sort(), ["left", "right"]);
});

/** The name of an exam of seed 3 where the tear that the labels ask for is the only injury. */
function examWithTearAlone(findings: Findings, suits = (_: Injuries) => true): string {
  for (let k = 0; k < 200; k++) {
    const { injuries } = renderPhantom({ seed: 3, exam: `${k}`, findings, size: 64, slices: 1 });
    const { effusion, marrow, chondral, cyst, swellings } = injuries;
    const others = effusion + cyst + marrow.length + chondral.length + swellings.length;
    if (others === 0 && suits(injuries)) return `${k}`;
  }
  throw new Error("no such exam");
}

Deno.test("a meniscal tear shows in a few slices and leaves the others as they were", () => {
  const base = { seed: 3, exam: examWithTearAlone(TORN_MENISCUS), size: 128, slices: SAGITTAL };
  const torn = renderPhantom({ ...base, findings: TORN_MENISCUS });
  const healthy = renderPhantom({ ...base, findings: NORMAL });
  const visible = differing(torn.sagittal, healthy.sagittal, 50);
  assert.ok(Math.max(...visible) >= 8, `nobody would see it: ${visible}`);
  const same = differing(torn.sagittal, healthy.sagittal, 0).filter((count) => count === 0);
  assert.ok(same.length >= 12, "it shows everywhere");
  assert.deepEqual(torn.anatomy, healthy.anatomy);
});

Deno.test("an old tear of the cruciate ligament shows in the notch and nowhere else", () => {
  const exam = examWithTearAlone(TORN_ACL, (injuries) => injuries.acl?.kind === "old");
  const base = { seed: 3, exam, size: 128, slices: SAGITTAL };
  const torn = renderPhantom({ ...base, findings: TORN_ACL });
  const healthy = renderPhantom({ ...base, findings: NORMAL });
  const changed = differing(torn.sagittal, healthy.sagittal, 0);
  assert.ok(Math.max(...differing(torn.sagittal, healthy.sagittal, 50)) >= 30);
  assert.ok(changed.filter((count) => count === 0).length >= 14, `${changed}`);
  for (const slice of [0, 5, 18, 23]) assert.equal(changed[slice], 0);
});

Deno.test("a fresh tear of the cruciate ligament is brightest in the notch, with fluid around", () => {
  const base = { seed: 3, exam: "acl", size: 128, slices: SAGITTAL };
  const torn = renderPhantom({ ...base, findings: TORN_ACL });
  const healthy = renderPhantom({ ...base, findings: NORMAL });
  assert.ok(torn.injuries.effusion > 0);
  assert.notEqual(torn.injuries.acl?.kind, "old");
  const brighter = differing(torn.sagittal, healthy.sagittal, 50);
  const most = brighter.indexOf(Math.max(...brighter));
  assert.ok(most >= 8 && most < 16 && brighter[most] >= 200, `${brighter}`);
});

Deno.test("every abnormal knee has something wrong with it, no normal one has", () => {
  const scan = (exam: string, findings: Findings) =>
    renderPhantom({ seed: 5, exam, findings, size: 64, slices: 1 }).injuries;
  for (let k = 0; k < 20; k++) {
    const { effusion, marrow, swellings, cyst, chondral } = scan(`${k}`, {
      ...NORMAL,
      abnormal: 1,
    });
    assert.ok(effusion > 2 || cyst > 0 || marrow.length + swellings.length + chondral.length > 0);
    assert.deepEqual(scan(`${k}`, NORMAL), {
      effusion: 0,
      menisci: [],
      marrow: [],
      chondral: [],
      cyst: 0,
      swellings: [],
    });
  }
});

Deno.test("options out of range are refused in one line", () => {
  const refuses = (options: Partial<Parameters<typeof renderPhantom>[0]>, message: string) =>
    assert.throws(() => renderPhantom({ ...SMALL, ...options }), { name: "OptionError", message });
  refuses(
    { size: 63 },
    "Cannot make phantoms of size 63: it must be a whole number from 64 to 1024",
  );
  refuses(
    { slices: 0 },
    "Cannot make phantoms with 0 slices: it must be a whole number from 1 to 512",
  );
  refuses({ seed: 0.5 }, "Cannot make phantoms from the seed 0.5: it must be a whole number");
  refuses(
    { findings: { abnormal: 0, acl: 0, meniscus: 1 } },
    "Cannot make a phantom with 'meniscus' 1 and 'abnormal' 0: a torn knee is abnormal",
  );
});
