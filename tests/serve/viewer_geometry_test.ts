/** Where the pixels of exams lie: what the viewer's service tells its page, and what the page makes of it. */
import assert from "node:assert/strict";
import { importExams } from "../../lib/imaging/import.ts";
import { createHandler, type Handler } from "../../lib/serve/handler.ts";
import {
  canCut,
  cutLine,
  edgeLetters,
  scaleBar,
  within,
} from "../../lib/serve/viewer/page/geometry.js";
import { Zoom } from "../../lib/serve/viewer/page/zoom.js";
import { examBytes, TemporaryFolder } from "../support/folders.ts";
import { study } from "../support/study.ts";

type Vector = [number, number, number];

const FRAME = "0123456789abcdef";

/** Planes of 100 pixels of a millimetre, with 11 slices 4 mm apart, around 0. */
const AXES: Record<string, [across: Vector, down: Vector, through: Vector]> = {
  sagittal: [[0, 1, 0], [0, 0, -1], [1, 0, 0]],
  coronal: [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
  axial: [[1, 0, 0], [0, 1, 0], [0, 0, -1]],
};

/** A slice whose image is turned about an axis of its own by some degrees. */
function slice(plane: string, index: number, { turned = 0, pixel = 1, frame = FRAME } = {}) {
  const radians = turned * Math.PI / 180;
  const about = ([x, y, z]: Vector): Vector => [
    x * Math.cos(radians) - y * Math.sin(radians),
    x * Math.sin(radians) + y * Math.cos(radians),
    z,
  ];
  const [across, down, through] = AXES[plane].map(about);
  const at = (k: number): Vector => {
    const axis = (i: 0 | 1 | 2) =>
      4 * (k - 5) * through[i] - 49.5 * pixel * across[i] - 49.5 * pixel * down[i];
    return [axis(0), axis(1), axis(2)];
  };
  const geometry = { pixel, directions: [across, down] as [Vector, Vector], frame };
  return {
    geometry: { ...geometry, positions: [at(0), at(10)] },
    ...{ slice: index, slices: 11, width: 100, height: 100 },
  };
}

/** The ends of a line in full. */
function ends(line: ReturnType<typeof cutLine>): number[] {
  assert.ok(line !== undefined, "there is a line");
  return line.flatMap(({ x, y }: { x: number; y: number }) => [x, y]);
}

function near(found: number[], expected: number[]) {
  const shown = `${found.map((each) => each.toFixed(3))} and not ${expected}`;
  assert.equal(found.length, expected.length);
  assert.ok(found.every((each, i) => Math.abs(each - expected[i]) < 1e-6), shown);
}

Deno.test("planes at right angles cut each other upright and level", () => {
  // The middle slices, through 0: between the pixels 49 and 50.
  near(ends(cutLine(slice("sagittal", 5), slice("coronal", 5))), [50, 0, 50, 100]);
  near(ends(cutLine(slice("coronal", 5), slice("sagittal", 5))), [50, 0, 50, 100]);
  near(ends(cutLine(slice("sagittal", 5), slice("axial", 5))), [0, 50, 100, 50]);
  near(ends(cutLine(slice("axial", 5), slice("coronal", 5))), [0, 50, 100, 50]);
  // Each slice on is 4 mm: to the back, and towards the feet.
  near(ends(cutLine(slice("sagittal", 5), slice("coronal", 8))), [62, 0, 62, 100]);
  near(ends(cutLine(slice("coronal", 5), slice("axial", 3))), [0, 42, 100, 42]);
  // On an image of smaller pixels it is more of them; beyond its edge there is nothing.
  near(ends(cutLine(slice("axial", 5, { pixel: 0.5 }), slice("coronal", 6))), [0, 58, 100, 58]);
  assert.equal(cutLine(slice("axial", 5, { pixel: 0.3 }), slice("coronal", 10)), undefined);
});

Deno.test("a line ends where the other image does", () => {
  // An axial image of 60 mm on a sagittal one of 100: 20 on either side are without it.
  const small = slice("axial", 5, { pixel: 0.6 });
  near(ends(cutLine(slice("sagittal", 5), small)), [20, 50, 80, 50]);
  // The axial slices' edges are 30 mm from the middle; the tenth coronal slice is 20 mm behind it.
  near(ends(cutLine(slice("coronal", 10), small)), [20, 50, 80, 50]);
  assert.equal(cutLine(slice("coronal", 10), slice("axial", 5, { pixel: 0.3 })), undefined);
});

Deno.test("an oblique plane cuts aslant", () => {
  // The coronal plane's right side is turned 30° to the back: on the axial image as it is seen from above.
  const oblique = slice("coronal", 5, { turned: 30 });
  const [x1, y1, x2, y2] = ends(cutLine(slice("axial", 5), oblique));
  near([(y2 - y1) / (x2 - x1)], [Math.tan(Math.PI / 6)]);
  near([(x1 + x2) / 2, (y1 + y2) / 2], [50, 50]);
  // As long as its image is wide: 100 mm.
  near([Math.hypot(x2 - x1, y2 - y1)], [100]);
  // On the sagittal image it is upright, through the same axis.
  near(ends(cutLine(slice("sagittal", 5), oblique)), [50, 0, 50, 100]);
  // And two slices on 8 mm, of which the sagittal plane sees 8 / cos 30°.
  const behind = slice("coronal", 7, { turned: 30 });
  near([ends(cutLine(slice("sagittal", 5), behind))[0]], [50 + 8 / Math.cos(Math.PI / 6)]);
  // Turned by 90° it is the sagittal plane's own: parallel planes have no line.
  assert.equal(cutLine(slice("sagittal", 5), slice("coronal", 5, { turned: 90 })), undefined);
  assert.equal(cutLine(slice("sagittal", 5), slice("coronal", 5, { turned: 89 })), undefined);
});

Deno.test("both planes say the same of the points that they share", () => {
  for (const turned of [-35, 10, 40]) {
    for (const [a, b] of [["sagittal", "coronal"], ["coronal", "axial"], ["axial", "sagittal"]]) {
      const [here, there] = [slice(a, 4, { turned }), slice(b, 7, { pixel: 0.8 })];
      const positions = (of: typeof here, line: ReturnType<typeof cutLine>) => {
        assert.ok(line !== undefined);
        const { directions: [across, down], positions: [first, last], pixel } = of.geometry;
        return line.map(({ x, y }: { x: number; y: number }) =>
          first.map((each, i) =>
            each + of.slice / 10 * (last[i] - each) + pixel * (x - 0.5) * across[i] +
            pixel * (y - 0.5) * down[i]
          ).map((each) => Math.round(1e6 * each) / 1e6)
        ).toSorted((p: number[], q: number[]) => p[2] - q[2] || p[1] - q[1] || p[0] - q[0]);
      };
      const one = positions(here, cutLine(here, there)).flat();
      near(positions(there, cutLine(there, here)).flat(), one);
    }
  }
});

Deno.test("slices at unequal distances are taken as they are listed", () => {
  const there = slice("coronal", 1);
  const positions = [-20, -3, 20].map((y): Vector => [-49.5, y, 49.5]);
  const uneven = { ...there, slices: 3, geometry: { ...there.geometry, positions } };
  near(ends(cutLine(slice("sagittal", 5), uneven)), [47, 0, 47, 100]);
  const single = { ...uneven, slice: 0, slices: 1 };
  single.geometry = { ...single.geometry, positions: positions.slice(2) };
  near(ends(cutLine(slice("sagittal", 5), single)), [70, 0, 70, 100]);
});

Deno.test("nothing is drawn of what is not known, nor across frames of reference", () => {
  const here = slice("sagittal", 5);
  const other = slice("coronal", 5, { frame: "fedcba9876543210" });
  assert.equal(cutLine(here, other), undefined);
  assert.ok(canCut(here.geometry, slice("coronal", 0).geometry));
  for (const lacking of ["pixel", "directions", "positions", "frame"] as const) {
    const there = slice("coronal", 5);
    const geometry = { ...there.geometry, [lacking]: undefined };
    assert.equal(cutLine(here, { ...there, geometry }), undefined, lacking);
    assert.equal(cutLine({ ...there, geometry }, here), undefined, lacking);
    assert.equal(canCut(geometry, geometry), false, lacking);
  }
  assert.equal(canCut(undefined, here.geometry), false);
});

Deno.test("the letters of an image's edges, two of them where it is oblique", () => {
  const letters = (...directions: [Vector, Vector]) =>
    Object.values(edgeLetters({ directions })!).join(" ");
  assert.equal(letters([0, 1, 0], [0, 0, -1]), "A P H F", "sagittal");
  assert.equal(letters([1, 0, 0], [0, 0, -1]), "R L H F", "coronal");
  assert.equal(letters([1, 0, 0], [0, 1, 0]), "R L A P", "axial");
  assert.equal(letters([-1, 0, 0], [0, 0, 1]), "L R F H");
  const turned = (degrees: number): Vector => {
    const radians = degrees * Math.PI / 180;
    return [Math.cos(radians), Math.sin(radians), 0];
  };
  assert.equal(letters(turned(14), [0, 0, -1]), "R L H F");
  assert.equal(letters(turned(30), [0, 0, -1]), "RA LP H F");
  assert.equal(letters(turned(60), [0, 0, -1]), "AR PL H F");
  assert.equal(edgeLetters({ pixel: 1 }), undefined);
  assert.equal(edgeLetters(undefined), undefined);
});

Deno.test("a scale bar is of a round length, and as long as it says", () => {
  const lengths = [[160, 50], [140, 50], [124, 20], [80, 20], [50, 20], [49, 10], [24, 5], [9, 2]];
  for (const [seen, expected] of [...lengths, [4, 1], [2, 0.5], [1000, 200]]) {
    const { length, share } = scaleBar(seen);
    assert.equal(length, expected, `of ${seen} mm`);
    assert.ok(Math.abs(share * seen - length) < 1e-9);
    assert.ok(share > 0.15 && share <= 0.4);
  }
});

Deno.test("what of a line is seen ends at the edges", () => {
  const line = (...[x1, y1, x2, y2]: number[]) =>
    within([{ x: x1, y: y1 }, { x: x2, y: y2 }], 1, 1)?.map(({ x, y }) => [x, y]).flat();
  assert.deepEqual(line(0.5, -1, 0.5, 3), [0.5, 0, 0.5, 1]);
  assert.deepEqual(line(-1, -1, 2, 2), [0, 0, 1, 1]);
  assert.deepEqual(line(0.25, 0.5, 0.75, 0.5), [0.25, 0.5, 0.75, 0.5]);
  assert.equal(line(-1, 0.5, -0.1, 0.5), undefined);
  assert.equal(line(2, -1, 2, 3), undefined);
});

Deno.test("a point of the image is on the stage where the browser has it", () => {
  const zoom = new Zoom();
  assert.deepEqual(zoom.at(0.2, 0.9), { x: 0.2, y: 0.9 });
  zoom.by(2);
  assert.deepEqual(zoom.at(0.5, 0.5), { x: 0.5, y: 0.5 });
  assert.deepEqual(zoom.at(0.25, 1), { x: 0, y: 1.5 });
  zoom.move(0.25, -0.5);
  assert.deepEqual(zoom.at(0.25, 1), { x: 0.25, y: 1 });
});

/** What the service says of a plane before its slices. */
async function head(handler: Handler, path: string) {
  const response = await handler(new Request(`http://localhost/viewer/slices/${path}`));
  const bytes = await response.bytes();
  assert.equal(response.status, 200);
  return JSON.parse(new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(10))));
}

Deno.test("the service tells the geometry of imported exams, and of no others", async () => {
  await using folder = await TemporaryFolder.make();
  for (const [name, bytes] of study(1, { "0020,0052 UI": "2.25.5" })) {
    await folder.write(`study/${name}`, bytes);
  }
  const options = { paths: [folder.at("study")], out: folder.at("data") };
  const { exams } = await importExams(options);
  const handler = createHandler({ viewer: { data: folder.at("data") } });
  for (const { plane, geometry } of exams) {
    assert.ok(geometry?.frame !== undefined);
    assert.deepEqual((await head(handler, `valid/0001/${plane}`)).geometry, geometry);
  }
  // A file of its name that has other slices is another exam.
  await folder.write("data/valid/axial/0002.npy", examBytes());
  await folder.write("data/train/axial/0001.npy", examBytes());
  const other = examBytes(new Uint8Array(3 * 256 * 256), [3, 256, 256]);
  await folder.write("data/valid/coronal/0001.npy", other);
  for (const path of ["valid/0002/axial", "train/0001/axial", "valid/0001/coronal"]) {
    assert.ok(!("geometry" in await head(handler, path)), path);
  }
  // What was written since is known; somebody's own table of this name says nothing.
  const table = await folder.text("data/exams.csv");
  await folder.write("data/exams.csv", table.replaceAll(",0.125,", ",0.25,"));
  assert.equal((await head(handler, "valid/0001/axial")).geometry.pixel, 0.25);
  await folder.write("data/exams.csv", "id,site\n0001,here\n");
  assert.ok(!("geometry" in await head(handler, "valid/0001/axial")));
  await Deno.remove(folder.at("data/exams.csv"));
  assert.ok(!("geometry" in await head(handler, "valid/0001/axial")));
});

Deno.test("the service tells the geometry of a study that was sent", async () => {
  // A machine with much other work takes its time.
  const handler = createHandler({ viewer: true, limits: { deadline: 600_000 } });
  const form = new FormData();
  for (const [name, bytes] of study(1, { "0020,0052 UI": "2.25.5" })) {
    if (!name.startsWith("sagittal")) continue;
    form.append("study", new File([new Uint8Array(bytes)], name));
  }
  const request = new Request("http://localhost/viewer/exams", { method: "POST", body: form });
  const response = await handler(request);
  assert.equal(response.status, 200);
  const { id } = await response.json();
  const { geometry } = await head(handler, `dropped/${id}/sagittal`);
  assert.match(geometry.frame, /^[0-9a-f]{16}$/);
  assert.deepEqual({ ...geometry, frame: "" }, {
    pixel: 0.125,
    directions: [[0, 1, 0], [0, 0, -1]],
    positions: [[0, -0.188, 0.188], [68, -0.188, 0.188]],
    frame: "",
  });
});
