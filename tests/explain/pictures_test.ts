import assert from "node:assert/strict";
import type { Exam } from "../../lib/data/exam.ts";
import { Canvas } from "../../lib/explain/canvas.ts";
import { colorOf, type Rgb } from "../../lib/explain/color_map.ts";
import type { Explanation } from "../../lib/explain/explain.ts";
import { textWidth } from "../../lib/explain/font.ts";
import { signed } from "../../lib/explain/numbers.ts";
import { fitted, OPACITY, overlay, viewOf } from "../../lib/explain/overlay.ts";
import { encodePng } from "../../lib/explain/png.ts";
import { resample, spreadMap } from "../../lib/explain/resample.ts";
import { contactSheet } from "../../lib/explain/sheet.ts";
import { encodeGif } from "../../lib/explain/gif.ts";

/** sRGB to Oklab, written down apart from what is tested: Ottosson's matrices the other way. */
function oklab(color: Rgb): [number, number, number] {
  const [r, g, b] = color.map((byte) => {
    const value = byte / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const long = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const medium = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const short = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

Deno.test("equal steps of a value are equal steps to the eye, and the arms are equally light", () => {
  for (const side of [-1, 1]) {
    const colors = Array.from(
      { length: 21 },
      (_, step) => oklab(colorOf(side * (step + 1e-9) / 20)),
    );
    const steps = colors.slice(1).map((color, index) => {
      return Math.hypot(...color.map((value, channel) => value - colors[index][channel]));
    });
    const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
    // What is left is the rounding to bytes.
    for (const step of steps) assert.ok(Math.abs(step / mean - 1) < 0.15, `${step} of ${mean}`);
  }
  for (let value = 0.05; value <= 1; value += 0.05) {
    const [one, other] = [value, -value].map((each) => oklab(colorOf(each))[0]);
    assert.ok(Math.abs(one - other) < 0.005, `${one} and ${other} at ${value}`);
  }
});

Deno.test("the colours lie within sRGB and keep their side", () => {
  for (let value = 0; value <= 1; value += 0.01) {
    const [warm, cold] = [colorOf(value + 1e-9), colorOf(-value - 1e-9)];
    assert.ok(warm[0] > warm[2] && cold[2] > cold[0] - 40, `${warm} and ${cold} at ${value}`);
    // A colour outside would be cut off, and its lightness would leave the line.
    for (const color of [warm, cold]) {
      assert.ok(Math.abs(oklab(color)[0] - (0.4 + 0.53 * value)) < 0.005, `${color} at ${value}`);
    }
  }
  assert.deepEqual(colorOf(7), colorOf(1));
});

Deno.test("resampling keeps a constant, a ramp and the mean", () => {
  const ramp = Float32Array.from({ length: 12 * 8 }, (_, index) => index % 8);
  const larger = resample(ramp, { height: 12, width: 8 }, { height: 24, width: 16 });
  assert.deepEqual([...larger.subarray(0, 5)], [0, 0.25, 0.75, 1.25, 1.75]);
  const smaller = resample(ramp, { height: 12, width: 8 }, { height: 6, width: 4 });
  const mean = smaller.reduce((sum, value) => sum + value, 0) / smaller.length;
  assert.ok(Math.abs(mean - 3.5) < 1e-6, `${mean}`);
  const same = resample(ramp, { height: 12, width: 8 }, { height: 12, width: 8 });
  assert.deepEqual(same, ramp);
});

Deno.test("a map's pixels are drawn where their receptive fields are centred", () => {
  // 128 pixels leave 3 of the features: centres at 31, 63 and 95.
  const size = { height: 128, width: 128 };
  const map = Float64Array.from({ length: 9 }, (_, index) => index);
  const spread = spreadMap(map, { height: 3, width: 3, stride: 32, start: 31 }, size, size);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      const found = spread[(31 + 32 * row) * 128 + 31 + 32 * column];
      assert.equal(found, map[3 * row + column]);
    }
  }
  assert.equal(spread[0], map[0], "beyond the outermost the edge repeats");
  assert.equal(spread[128 * 128 - 1], map[8]);
  assert.equal(spread[31 * 128 + 47], 0.5, "linear in between");
});

const SIZE = { slices: 3, height: 64, width: 96 };

/** Grey values 100 to 200, and maps of 1 × 2 pixels, of which the second slice's are for and against. */
function example(): { exam: Exam; explanation: Explanation } {
  const voxels = Uint8Array.from({ length: 3 * 64 * 96 }, (_, index) => 100 + index % 101);
  const slice = (share: number, map: number[]) => {
    return { share, channelsSelected: share === 0 ? 0 : 1, map: Float64Array.from(map) };
  };
  const explanation: Explanation = {
    id: "0001",
    logits: [0, 1.5],
    probability: 0.8,
    map: "share",
    bias: 0.5,
    selectedSlices: [],
    contributions: [],
    mapHeight: 1,
    mapWidth: 2,
    mapStride: 32,
    mapStart: 31,
    slices: [slice(0, [0, 0]), slice(0.5, [1, -0.5]), slice(0.5, [0.25, 0.25])],
  };
  return { exam: { id: "0001", ...SIZE, voxels }, explanation };
}

Deno.test("an overlay shows the slice where the map is 0, and the colour by the map's weight", () => {
  const { exam, explanation } = example();
  const view = viewOf(exam, explanation);
  assert.deepEqual([view.black, view.white, view.strongest], [100, 200, 1]);
  const plain = overlay(view, 0, SIZE).data;
  assert.deepEqual([...plain.subarray(0, 6)], [0, 0, 0, 3, 3, 3], "the exam's own window");
  const { data } = overlay(view, 1, SIZE);
  const pixel = 31;
  const grey = (exam.voxels[SIZE.height * SIZE.width + pixel] - 100) * 2.55;
  const color = colorOf(1);
  const wanted = color.map((value) => Math.round(grey + OPACITY * (value - grey)));
  assert.deepEqual([...data.subarray(3 * pixel, 3 * pixel + 3)], wanted);
});

Deno.test("one single grey value and maps of nothing can be drawn", () => {
  const { exam, explanation } = example();
  exam.voxels.fill(7);
  for (const slice of explanation.slices) {
    Object.assign(slice, { share: 0, map: new Float64Array(2) });
  }
  const view = viewOf(exam, explanation);
  assert.ok(overlay(view, 1, SIZE).data.every((value) => value === 0));
  assert.ok(contactSheet(view, "acl").data.every(Number.isFinite));
});

Deno.test("a picture's longer side is as long as is asked, and the shape is kept", () => {
  assert.deepEqual(fitted({ height: 64, width: 96 }, 288), { height: 192, width: 288 });
  assert.deepEqual(fitted({ height: 512, width: 256 }, 256), { height: 256, width: 128 });
  assert.deepEqual(fitted({ height: 4000, width: 64 }, 256), { height: 256, width: 4 });
});

Deno.test("the contact sheet has room for every slice, and marks the strongest", () => {
  const { exam, explanation } = example();
  for (const count of [1, 2, 5, 24, 61]) {
    const slices = Array.from({ length: count }, (_, slice) => {
      return { ...explanation.slices[1], share: slice === 0 ? -2 : 0.1 };
    });
    const voxels = new Uint8Array(count * 64 * 96).map((_, index) => index % 251);
    const many = { ...exam, slices: count, voxels };
    const { width, height, data } = contactSheet(viewOf(many, { ...explanation, slices }), "acl");
    assert.equal(data.length, width * height * 3);
    assert.ok(width >= 860 && width < 4000 && height > 200, `${width}x${height}`);
  }
});

Deno.test("a PNG says what it is, and keeps every pixel", async () => {
  const canvas = new Canvas(5, 3, [1, 2, 3]);
  const { decode } = await import("npm:fast-png@8.0.0");
  const png = decode(encodePng(canvas, { Title: "0001: acl" }));
  assert.deepEqual([png.width, png.height, png.channels, png.depth], [5, 3, 3, 8]);
  assert.deepEqual(png.text, { Title: "0001: acl" });
  assert.deepEqual([...png.data], [...canvas.data]);
});

Deno.test("a GIF has a frame for each picture, repeats for ever and shares one palette", () => {
  const frames = [0, 90, 180, 250].map((shade) => {
    const canvas = new Canvas(40, 30, [shade, shade, shade]);
    canvas.fill(5, 5, 10, 10, [255 - shade, 20, shade]);
    return canvas;
  });
  const bytes = encodeGif(frames, 250);
  const text = new TextDecoder("latin1").decode(bytes);
  assert.equal(text.slice(0, 6), "GIF89a");
  assert.deepEqual([bytes[6] + 256 * bytes[7], bytes[8] + 256 * bytes[9]], [40, 30]);
  assert.equal(bytes.at(-1), 0x3b);
  const loop = text.indexOf("NETSCAPE2.0");
  assert.ok(loop > 0);
  assert.deepEqual([...bytes.subarray(loop + 11, loop + 16)], [3, 1, 0, 0, 0], "for ever");
  const delays: number[] = [];
  for (let at = 0; at < bytes.length - 8; at++) {
    // A graphic control extension, and the frame that follows it.
    const isFrame = bytes[at] === 0x21 && bytes[at + 1] === 0xf9 && bytes[at + 8] === 0x2c;
    if (isFrame) delays.push(bytes[at + 4] + 256 * bytes[at + 5]);
  }
  assert.deepEqual(delays, [25, 25, 25, 25], "hundredths of a second");
});

Deno.test("text is drawn within its width, cut where there is no room, and never outside", () => {
  assert.equal(textWidth("", 2), 0);
  assert.equal(textWidth("00", 2), textWidth("19", 2), "digits are of one width");
  const columns = (canvas: Canvas) => {
    const lit = [...canvas.data.keys()].filter((at) => canvas.data[at] > 0);
    return lit.map((at) => Math.floor(at / 3) % canvas.width);
  };
  const canvas = new Canvas(200, 30, [0, 0, 0]);
  canvas.text("knee 0123 ß", 10, 5, { color: [255, 255, 255] });
  const drawn = columns(canvas);
  assert.ok(Math.min(...drawn) >= 9 && Math.max(...drawn) <= 11 + textWidth("knee 0123 ß", 2));
  const cut = new Canvas(200, 30, [0, 0, 0]);
  cut.text("a long name that goes on", 0, 5, { color: [255, 255, 255], width: 60 });
  assert.ok(Math.max(...columns(cut)) <= 61);
  const small = new Canvas(4, 4, [0, 0, 0]);
  small.text("outside", -20, -3, { color: [255, 255, 255] });
  assert.equal(small.data.length, 48);
});

Deno.test("numbers have a sign and three digits of the largest", () => {
  assert.deepEqual([0.5, -0.123, 0.0004, 0].map(signed(0.5)), [
    "+0.500",
    "−0.123",
    "0.000",
    "0.000",
  ]);
  assert.equal(signed(31)(31.25), "+31.3");
  assert.equal(signed(4000)(-4000.2), "−4000");
  assert.equal(signed(0)(0), "0.00");
  assert.equal(signed(999_999)(-999_999), "−999999");
});

Deno.test("numbers of any size leave room for one another", () => {
  assert.deepEqual([1.2271e28, -4e26, 3, 0].map(signed(1.2271e28)), [
    "+1.23e28",
    "−0.04e28",
    "0.00",
    "0.00",
  ]);
  assert.equal(signed(1e6)(-1e6), "−1.00e6");
  for (let exponent = -300; exponent <= 300; exponent++) {
    const value = 9.99 * 10 ** exponent;
    assert.ok(signed(value)(-value).length <= 12, signed(value)(-value));
  }
});
