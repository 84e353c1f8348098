// Each WebAssembly kernel against plain loops, on sizes that do not fit its tiles.
import assert from "node:assert/strict";
import {
  assertClose,
  bytes,
  callKernel,
  floats,
  ints,
  kernelTest,
  noise,
  panelsOf,
} from "../support/kernels.ts";
import { pixelTable, tilesOf } from "../../lib/model/wasm/tables.ts";
import { filterProductStride } from "../../lib/model/wasm/tiling.ts";

interface Shape {
  height: number;
  width: number;
  inputs: number;
  outputs: number;
  side: number;
  stride: number;
}

/** A convolution of an image that has its border; filters are `[out][side][side][in]`. */
function plainConvolution(x: Float32Array, filters: Float32Array, bias: Float32Array, s: Shape) {
  const { height, width, inputs, outputs, side, stride } = s;
  const row = ((width - 1) * stride + side) * inputs;
  const out = new Float32Array(height * width * outputs);
  for (let y = 0; y < height; y++) {
    for (let column = 0; column < width; column++) {
      for (let output = 0; output < outputs; output++) {
        let sum = bias[output];
        for (let ky = 0; ky < side; ky++) {
          for (let k = 0; k < side * inputs; k++) {
            sum += x[(y * stride + ky) * row + column * stride * inputs + k] *
              filters[(output * side + ky) * side * inputs + k];
          }
        }
        out[(y * width + column) * outputs + output] = sum;
      }
    }
  }
  return out;
}

for (const relu of [0, 1]) {
  for (const [rowsAtOnce, block] of [[1, 12], [1, 4], [3, 12]]) {
    const how = `${rowsAtOnce} rows of ${block} at once${relu ? ", with ReLU" : ""}`;
    kernelTest(`convolve computes a convolution, ${how}`, () => {
      const s = { height: 5, width: 7, inputs: 4, outputs: 16, side: 3, stride: 1 };
      const pitch = (s.width + 2) * s.inputs * 4;
      const x = floats(noise((s.height + 2) * (s.width + 2) * s.inputs, 1));
      const filters = noise(s.outputs * 36, 2);
      const bias = floats(noise(s.outputs, 3));
      const weights = floats(panelsOf(filters, 36));
      const out = floats(s.height * s.width * s.outputs);
      const to = { pitch: s.width * s.outputs * 4, step: s.outputs * 4 };
      const table = pixelTable(s, { pitch, step: s.inputs * 4 }, to);
      const addresses = [ints(table).at, tilesOf(table), x.at, out.at, weights.at, bias.at];
      callKernel("convolve", ...addresses, 2, 3, pitch, 12, rowsAtOnce, block, relu);
      const expected = plainConvolution(x.view, filters, bias.view, s);
      assertClose(out.view, relu ? expected.map((value) => Math.max(0, value)) : expected);
    });
  }
}

kernelTest("convolve writes inside a border and leaves the border alone", () => {
  const x = floats(noise(5 * 5 * 4, 1));
  const filters = noise(8 * 36, 2);
  const weights = floats(panelsOf(filters, 36));
  const out = floats(5 * 5 * 8);
  const table = pixelTable({ height: 3, width: 3 }, { pitch: 80, step: 16 }, {
    pitch: 160,
    step: 32,
  });
  const inside = out.at + 160 + 32;
  const addresses = [ints(table).at, tilesOf(table), x.at, inside, weights.at, 0];
  callKernel("convolve", ...addresses, 1, 3, 80, 12, 1, 12, 0);
  const s = { height: 3, width: 3, inputs: 4, outputs: 8, side: 3, stride: 1 };
  const expected = plainConvolution(x.view, filters, new Float32Array(8), s);
  for (let y = 0; y < 5; y++) {
    for (let column = 0; column < 5; column++) {
      const pixel = out.view.subarray((y * 5 + column) * 8, (y * 5 + column) * 8 + 8);
      const within = y > 0 && y < 4 && column > 0 && column < 4;
      const at = ((y - 1) * 3 + column - 1) * 8;
      assertClose(pixel, within ? expected.subarray(at, at + 8) : new Float32Array(8));
    }
  }
});

/** Filters and tiles by their sides, and how many outputs a tile has along one. */
const WINOGRAD = [
  { side: 3, tile: 6, reach: 4 },
  { side: 3, tile: 7, reach: 5 },
  { side: 5, tile: 8, reach: 4 },
] as const;

// 9×7 pixels fill no tile of 4×4 or of 5×5, the last ones reach beyond the border too. Channels go in 32 and in 4.
for (const { side, tile, reach } of WINOGRAD) {
  const products = tile ** 2;
  for (const [relu, inputs] of [[0, 12], [1, 36], [0, 4]]) {
    const how = `${side}×${side} in tiles of ${tile} on ${inputs} channels${
      relu ? ", with bias and ReLU" : ""
    }`;
    kernelTest(`Winograd computes a convolution, ${how}`, () => {
      const s = { height: 9, width: 7, inputs, outputs: 16, side, stride: 1 };
      const [rows, columns] = [s.height + side - 1, s.width + side - 1];
      const x = floats(noise(rows * columns * s.inputs, 1));
      // What lies behind the image must not matter.
      floats(new Float32Array(4096).fill(NaN));
      const length = side * side * s.inputs;
      const filters = noise(s.outputs * length, 2);
      const bias = floats(noise(s.outputs, 3));
      const packed = floats(panelsOf(filters, length));
      const temp = floats(64 * 4);
      const transformed = floats(products * s.inputs * s.outputs);
      const filterStride = 4 * s.inputs * s.outputs;
      for (let panel = 0; panel < s.outputs / 8; panel++) {
        const from = packed.at + panel * length * 32;
        const to = transformed.at + panel * s.inputs * 32;
        callKernel(`transformFilters${tile}`, from, to, filterStride, s.inputs, temp.at);
      }
      const across = Math.ceil(s.width / reach);
      const count = across * Math.ceil(s.height / reach);
      const room = count + 3;
      const tilesIn = floats(products * room * s.inputs);
      const tilesOut = floats(products * room * s.outputs);
      const [strideIn, strideOut] = [s.inputs, s.outputs].map((each) => room * each * 4);
      // In two chunks, as where tiles of several slices are multiplied together.
      for (const [from, some] of [[0, 1], [1, count - 1]]) {
        const image = [x.at, rows, columns, s.inputs, across, from, some];
        const to = tilesIn.at + from * s.inputs * 4;
        callKernel(`transformImage${tile}`, ...image, to, strideIn, temp.at);
      }
      const image = [tilesIn.at, strideIn, transformed.at, filterStride];
      const to = [tilesOut.at, strideOut, s.outputs / 8, s.inputs];
      callKernel("multiplyTransformed", products, count, ...image, ...to);
      const out = floats(s.height * s.width * s.outputs);
      const shape = [s.width * s.outputs * 4, s.height, s.width, s.outputs, across];
      for (const [from, some] of [[0, 3], [3, count - 3]]) {
        const products = [tilesOut.at + from * s.outputs * 4, strideOut, relu ? bias.at : 0, relu];
        callKernel(`transformBack${tile}`, ...products, out.at, ...shape, from, some, temp.at);
      }
      const none = new Float32Array(s.outputs);
      const expected = plainConvolution(x.view, filters, relu ? bias.view : none, s);
      assertClose(out.view, relu ? expected.map((value) => Math.max(0, value)) : expected, 5e-6);
    });
  }
}

// Inputs in 32 and in 4, and groups of six, five, four and fewer tiles.
for (const tiles of [1, 3, 4, 5, 6, 7, 8, 9, 13, 16]) {
  kernelTest(`the products of ${tiles} transformed tiles are matrix products`, () => {
    const [products, inputs, panels] = [2, 40, 3];
    const room = tiles + 3;
    const image = floats(noise(products * room * inputs, 1));
    const filters = floats(noise(products * panels * inputs * 8, 2));
    const out = floats(new Float32Array(products * room * panels * 8).fill(7));
    const from = [image.at, 4 * room * inputs, filters.at, 32 * panels * inputs];
    const to = [out.at, 32 * room * panels, panels, inputs];
    callKernel("multiplyTransformed", products, tiles, ...from, ...to);
    for (let product = 0; product < products; product++) {
      const expected = new Float32Array(tiles * panels * 8);
      for (let tile = 0; tile < tiles; tile++) {
        for (let output = 0; output < panels * 8; output++) {
          let sum = 0;
          for (let input = 0; input < inputs; input++) {
            const row = (product * panels + Math.floor(output / 8)) * inputs + input;
            sum += image.view[(product * room + tile) * inputs + input] *
              filters.view[row * 8 + output % 8];
          }
          expected[tile * panels * 8 + output] = sum;
        }
      }
      const start = product * room * panels * 8;
      assertClose(out.view.subarray(start, start + expected.length), expected);
    }
  });
}

// Tiles in 16, 4 and 1; input channels in sixes, fours and both; more panels than go together.
for (const { side, tile } of [{ side: 3, tile: 6 }, { side: 5, tile: 8 }] as const) {
  for (const [height, width, inputs, outputs] of [[5, 7, 12, 16], [17, 18, 8, 8], [3, 2, 16, 72]]) {
    const size = `${height}×${width} pixels, ${inputs} to ${outputs} channels`;
    kernelTest(`Winograd computes a filter gradient of ${side}×${side} taps, ${size}`, () => {
      const taps = side ** 2;
      const products = tile ** 2;
      const [rows, columns] = [height + side - 1, width + side - 1];
      const x = floats(noise(rows * columns * inputs, 1));
      floats(new Float32Array(4096).fill(NaN));
      const dy = floats(noise(height * width * outputs, 2));
      floats(new Float32Array(4096).fill(NaN));
      const across = Math.ceil(width / 4);
      const tiles = across * Math.ceil(height / 4);
      const room = tiles + 3;
      const image = floats(products * room * inputs);
      const gradient = floats(products * room * outputs);
      const [imageStride, gradientStride] = [4 * room * inputs, 4 * room * outputs];
      const temp = floats(64 * 4);
      const half = Math.floor(tiles / 2);
      for (const [from, count] of [[0, half], [half, tiles - half]]) {
        const which = [across, from, count];
        const shape = [x.at, rows, columns, inputs, ...which];
        const to = [image.at + from * inputs * 4, imageStride, temp.at];
        callKernel(`transformImage${tile}`, ...shape, ...to);
        const like = [dy.at, width * outputs * 4, height, width, outputs, ...which];
        const panels = [gradient.at + from * 32, gradientStride, room, temp.at];
        callKernel(`transformGradient${tile}`, ...like, ...panels);
      }
      const fours = inputs % 3;
      const channels = [(inputs - 4 * fours) / 6, fours];
      const before = noise(taps * inputs * outputs, 3);
      const dw = floats(before);
      const stride = filterProductStride(inputs);
      const scratch = floats(products * stride / 4);
      const to = [gradient.at, gradientStride, outputs / 8, room, tiles, dw.at, scratch.at, stride];
      callKernel(`addFilterGradient${tile}`, image.at, imageStride, ...channels, ...to);
      const expected = new Float32Array(before);
      for (let pixel = 0; pixel < height * width; pixel++) {
        const [row, column] = [Math.floor(pixel / width), pixel % width];
        for (let k = 0; k < taps * inputs; k++) {
          const [tap, input] = [Math.floor(k / inputs), k % inputs];
          const from = (row + Math.floor(tap / side)) * columns + column + tap % side;
          for (let output = 0; output < outputs; output++) {
            const at = (Math.floor(output / 8) * taps * inputs + k) * 8 + output % 8;
            expected[at] += x.view[from * inputs + input] * dy.view[pixel * outputs + output];
          }
        }
      }
      assertClose(dw.view, expected, 5e-6);
    });
  }
}

kernelTest("the pool keeps the first of equals, and none where nothing is above zero", () => {
  const [height, width, channels] = [7, 9, 4];
  // Few levels: a window of nine has ties more often than not.
  const values = noise(height * width * channels, 5, 2).map((value) => Math.max(0, value));
  values.fill(0, 0, 3 * width * channels);
  const x = floats(values);
  const out = floats(3 * 4 * channels);
  const argmax = bytes(3 * 4 * channels);
  const pitch = width * channels * 4;
  callKernel("maxPool", x.at, pitch, out.at, 4 * channels * 4, argmax.at, 3, 4, channels);
  for (let y = 0; y < 3; y++) {
    for (let column = 0; column < 4; column++) {
      for (let channel = 0; channel < channels; channel++) {
        const nine = Array.from({ length: 9 }, (_, tap) => {
          const [row, across] = [2 * y + Math.floor(tap / 3), 2 * column + tap % 3];
          return values[(row * width + across) * channels + channel];
        });
        const most = Math.max(...nine);
        const at = (y * 4 + column) * channels + channel;
        assert.equal(out.view[at], most);
        assert.equal(argmax.view[at], most > 0 ? nine.indexOf(most) : 255);
      }
    }
  }
});

kernelTest("a pool does not lose what is not a number", () => {
  const x = floats(new Float32Array(9 * 4).fill(1));
  x.view[4 * 4 + 2] = NaN;
  const out = floats(4);
  callKernel("maxPool", x.at, 48, out.at, 16, bytes(4).at, 1, 1, 4);
  assert.deepEqual([...out.view], [1, 1, NaN, 1]);
});

kernelTest("gradients behind a pool are those of the dense convolution", () => {
  const s = { height: 7, width: 9, inputs: 32, outputs: 8, side: 3, stride: 1 };
  const [pooledHeight, pooledWidth] = [3, 4];
  const length = s.side * s.side * s.inputs;
  const pitch = (s.width + 2) * s.inputs * 4;
  const x = floats(noise((s.height + 2) * (s.width + 2) * s.inputs, 1));
  const weights = floats(noise(s.outputs * length, 2));
  const count = pooledHeight * pooledWidth * s.outputs;
  const dPooled = floats(noise(count, 3, 3));
  const argmax = bytes(Uint8Array.from(noise(count, 4), (v) => v > 0.8 ? 255 : (v + 1) * 4.9));
  // What the pool's gradient looks like when it is spread over the convolution's output.
  const dy = new Float32Array(s.height * s.width * s.outputs);
  const bias = new Float32Array(s.outputs);
  for (let at = 0; at < count; at++) {
    if (argmax.view[at] === 255) continue;
    const [pixel, channel] = [Math.floor(at / s.outputs), at % s.outputs];
    const y = 2 * Math.floor(pixel / pooledWidth) + Math.floor(argmax.view[at] / 3);
    const column = 2 * (pixel % pooledWidth) + argmax.view[at] % 3;
    dy[(y * s.width + column) * s.outputs + channel] += dPooled.view[at];
    bias[channel] += dPooled.view[at];
  }
  const expected = {
    dw: new Float32Array(weights.view.length),
    dx: new Float32Array(x.view.length),
  };
  for (let at = 0; at < dy.length; at++) {
    const [pixel, channel] = [Math.floor(at / s.outputs), at % s.outputs];
    const [y, column] = [Math.floor(pixel / s.width), pixel % s.width];
    for (let k = 0; k < length; k++) {
      const [ky, rest] = [Math.floor(k / (s.side * s.inputs)), k % (s.side * s.inputs)];
      const from = ((y + ky) * pitch) / 4 + column * s.inputs + rest;
      expected.dw[channel * length + k] += dy[at] * x.view[from];
      expected.dx[from] += dy[at] * weights.view[channel * length + k];
    }
  }

  // Within a border, and added to what the bias's gradient is already.
  const row = (s.width + 2) * s.outputs;
  const spread = floats((s.height + 2) * row);
  const spreadBias = floats(new Float32Array(s.outputs).fill(0.5));
  const inside = spread.at + 4 * (row + s.outputs);
  const pooled = [dPooled.at, pooledWidth * s.outputs * 4, argmax.at, pooledHeight, pooledWidth];
  callKernel("spreadMaxima", ...pooled, s.outputs, inside, 4 * row, spreadBias.at);
  const bordered = new Float32Array(spread.view.length);
  for (let y = 0; y < s.height; y++) {
    const run = s.width * s.outputs;
    bordered.set(dy.subarray(y * run, (y + 1) * run), (y + 1) * row + s.outputs);
  }
  assertClose(spread.view, bordered);
  assertClose(spreadBias.view, bias.map((value) => value + 0.5));

  const lists = ints(count * 3);
  const counts = ints(s.outputs);
  const biasGradient = floats(s.outputs);
  const list = [pooledHeight, pooledWidth, s.outputs, s.width, pitch, s.inputs * 4];
  const dyPitch = pooledWidth * s.outputs * 4;
  const kept = [lists.at, counts.at, biasGradient.at];
  callKernel("listMaxima", dPooled.at, dyPitch, argmax.at, ...list, ...kept);
  assertClose(biasGradient.view, bias);
  const listed = [lists.at, 12 * pooledHeight * pooledWidth, counts.at, s.outputs];
  const dw = floats(weights.view.length);
  callKernel("sparseFilter", ...listed, x.at, pitch, 3, 3, dw.at);
  assertClose(dw.view, expected.dw);
  const starts = ints(s.height * s.width + 2);
  const entries = ints(count * 2);
  callKernel("sortByPixel", ...listed, s.height * s.width, starts.at, entries.at);
  const dx = floats(x.view.length);
  const filters = [weights.at, 3, 3, dx.at, pitch, s.inputs * 4];
  callKernel("sparseInput", starts.at, entries.at, s.height, s.width, ...filters);
  assertClose(dx.view, expected.dx);
});

kernelTest("a thread goes back through its slices in groups, each slice once", () => {
  const owners = ints([1, 0, -1, 1, 1, 0, 1, 1, -1]);
  for (
    const { thread, most, groups } of [
      { thread: 1, most: 2, groups: [[0, 3], [4, 6], [7]] },
      { thread: 1, most: 5, groups: [[0, 3, 4, 6, 7], []] },
      { thread: 0, most: 4, groups: [[1, 5]] },
      { thread: 2, most: 4, groups: [[]] },
    ]
  ) {
    const group = ints(3 + most);
    const found: number[][] = [];
    do {
      callKernel("nextGroup", owners.at, 9, thread, most, group.at);
      found.push([...group.view.subarray(3, 3 + group.view[1])]);
    } while (group.view[2] === 1);
    assert.deepEqual(found, groups);
  }
});

kernelTest("the first layer's filter gradient has rows of twelve", () => {
  const [side, pitch, count] = [12, 40 * 4, 5];
  const x = floats(noise(40 * 40, 1));
  const entries: number[] = [];
  const gradients = noise(count, 2);
  for (let i = 0; i < count; i++) entries.push(i * 2 * pitch + i * 16, 0, 0);
  const lists = ints(entries);
  const asFloats = new Float32Array(lists.view.buffer, lists.at, entries.length);
  for (let i = 0; i < count; i++) asFloats[3 * i + 1] = gradients[i];
  const dw = floats(side * 12);
  callKernel(
    "sparseFilterNarrow",
    lists.at,
    12 * count,
    ints([count]).at,
    1,
    x.at,
    pitch,
    12,
    dw.at,
  );
  const expected = new Float32Array(side * 12);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < expected.length; k++) {
      const from = (2 * i + Math.floor(k / 12)) * 40 + 4 * i + k % 12;
      expected[k] += gradients[i] * x.view[from];
    }
  }
  assertClose(dw.view, expected);
});

kernelTest("a dense filter gradient is a product over the pixels", () => {
  const [height, width, inputs, outputs] = [3, 5, 12, 16];
  const rowPixels = width + 2;
  const all = (height + 2) * rowPixels;
  const x = floats(noise(all * inputs, 1));
  const y = floats(noise(all * outputs, 2));
  const dy = floats(noise(all * outputs, 3));
  const masked = floats(all * outputs);
  const panelBytes = height * rowPixels * 32;
  const panels = floats(outputs / 8 * panelBytes / 4);
  const bias = floats(outputs);
  const step = outputs * 4;
  const inside = rowPixels * step + step;
  const addresses = [dy.at + inside, y.at + inside, masked.at + inside];
  const shape = [height, width, outputs, rowPixels * step];
  callKernel("maskRelu", ...addresses, ...shape, bias.at, panels.at, panelBytes);
  const tiles = floats(all * inputs);
  callKernel("tileChannels", x.at, tiles.at, all, inputs);
  const dw = floats(9 * inputs * outputs);
  for (let tap = 0; tap < 9; tap++) {
    const shift = Math.floor(tap / 3) * rowPixels + tap % 3;
    const a = [tiles.at + shift * 24, all * 24, inputs / 6];
    const c = [dw.at + tap * inputs * 32, 9 * inputs * 32];
    const lines = [height, width, rowPixels - width];
    callKernel("addProduct", ...a, panels.at, panelBytes, outputs / 8, ...c, ...lines);
  }
  const expected = new Float32Array(dw.view.length);
  const expectedBias = new Float32Array(outputs);
  const expectedMasked = new Float32Array(masked.view.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let output = 0; output < outputs; output++) {
        const at = ((row + 1) * rowPixels + column + 1) * outputs + output;
        const gradient = y.view[at] > 0 ? dy.view[at] : 0;
        expectedMasked[at] = gradient;
        expectedBias[output] += gradient;
        for (let k = 0; k < 9 * inputs; k++) {
          const [tap, input] = [Math.floor(k / inputs), k % inputs];
          const pixel = (row + Math.floor(tap / 3)) * rowPixels + column + tap % 3;
          const to = (Math.floor(output / 8) * 9 * inputs + k) * 8 + output % 8;
          expected[to] += gradient * x.view[pixel * inputs + input];
        }
      }
    }
  }
  assertClose(masked.view, expectedMasked);
  assertClose(bias.view, expectedBias);
  assertClose(dw.view, expected);
});

kernelTest("weights are packed into panels, summed, and rotated", () => {
  const plain = floats(noise(8 * 20, 1));
  const packed = floats(8 * 20);
  callKernel("packPanel", plain.at, packed.at, 20);
  assert.deepEqual(packed.view, new Float32Array(panelsOf(plain.view, 20)));

  const three = floats(noise(3 * 8 * 144, 2));
  const summed = floats(11 * 12 * 8);
  callKernel("packSummedPanel", three.at, 8 * 144 * 4, summed.at, 11, 11);
  const expected = Float32Array.from({ length: summed.view.length }, (_, at) => {
    const [lane, tap, row] = [at % 8, Math.floor(at / 8) % 12, Math.floor(at / 96)];
    if (tap === 11) return 0;
    const each = [0, 1, 2].map((input) => three.view[((input * 8 + lane) * 12 + row) * 12 + tap]);
    return each[0] + each[1] + each[2];
  });
  assertClose(summed.view, expected);

  const [taps, inputs, outputs] = [9, 16, 24];
  const panels = floats(noise(taps * inputs * outputs, 3));
  const rotated = floats(taps * outputs * 8);
  callKernel("packTurnedPanel", panels.at + 8 * 32, rotated.at, taps, inputs, outputs);
  for (let at = 0; at < rotated.view.length; at++) {
    const [lane, output, tap] = [
      at % 8,
      Math.floor(at / 8) % outputs,
      Math.floor(at / 8 / outputs),
    ];
    const from = (Math.floor(output / 8) * taps + taps - 1 - tap) * inputs + 8 + lane;
    assert.equal(rotated.view[at], panels.view[from * 8 + output % 8]);
  }
});

kernelTest("Adam sums the threads' gradients and moves every parameter", () => {
  const count = 12;
  const [p, m, v] = [noise(count, 1), noise(count, 2), noise(count, 3).map(Math.abs)].map(floats);
  const gradients = floats(noise(3 * count, 4));
  const [beta1, beta2, epsilon, decay, correction, rate] = [0.9, 0.999, 1e-8, 0.1, 0.5, 1e-3];
  const settings = [beta1, 1 - beta1, beta2, 1 - beta2, epsilon, decay, correction, rate];
  const expected = [...p.view].map((parameter, i) => {
    const sum = [0, 1, 2].reduce((all, thread) => all + gradients.view[thread * count + i], 0);
    const g = sum + decay * parameter;
    const first = beta1 * m.view[i] + (1 - beta1) * g;
    const second = beta2 * v.view[i] + (1 - beta2) * g * g;
    return parameter - rate * first / (Math.sqrt(second) / correction + epsilon);
  });
  const from = [gradients.at, count * 4, 3, count, floats(settings).at];
  callKernel("adam", p.at, m.at, v.at, ...from);
  assertClose(p.view, expected);
});

kernelTest("what is too small for products becomes zero, NaN stays", () => {
  const tiny = [1e-19, -1e-30, 1e-38, 1e-40];
  const large = [3e-19, -1e-18, 255, NaN];
  const matrix = floats([0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
  const image = floats(8);
  const voxels = floats([...tiny, ...large]);
  callKernel("readSlice", voxels.at, 1, matrix.at, 1, 8, image.at, 32);
  assert.deepEqual([...image.view], [0, 0, 0, 0, ...large.map(Math.fround)]);
  // A moment without gradients ends at zero, and a gradient is not squared to a denormal number.
  const [p, m, v] = [[1, 1, 1, 1], [1e-36, -1e-38, 1e-40, 1], [1e-36, 1e-38, 1e-40, 1]].map(floats);
  const gradients = floats([0, 0, 1e-21, 0]);
  const settings = floats([0.5, 0.5, 0.5, 0.5, 1e-8, 0, 1, 1e-3]);
  callKernel("adam", p.at, m.at, v.at, gradients.at, 16, 1, 4, settings.at);
  assert.deepEqual([...m.view], [0, 0, Math.fround(5e-22), 0.5]);
  assert.deepEqual([...v.view], [0, 0, 0, 0.5]);
  // Tiles of 1e-21 and filters of 1e-19 or less have no transform but zeros.
  const temp = floats(256);
  const assertZero = (numbers: Float32Array) => assert.ok(numbers.every((value) => value === 0));
  for (const { side, tile, reach } of WINOGRAD) {
    const products = tile ** 2;
    const [numbers, out] = [floats(products * 4), floats(products * 4).view.fill(1)];
    numbers.view.fill(1e-21);
    const shape = [numbers.at, side + reach - 1, side + reach - 1, 4, 1, 0, 1];
    callKernel(`transformImage${tile}`, ...shape, out.byteOffset, 16, temp.at);
    assertZero(out);
    const [filter, filters] = [floats(side * side * 8), floats(products * 8).view.fill(1)];
    filter.view.fill(1e-20);
    callKernel(`transformFilters${tile}`, filter.at, filters.byteOffset, 32, 1, temp.at);
    assertZero(filters);
  }
  for (const tile of [6, 8] as const) {
    const [gradient, panels] = [floats(16 * 8), floats(tile ** 2 * 8).view.fill(1)];
    gradient.view.fill(1e-21);
    const which = [gradient.at, 128, 4, 4, 8, 1, 0, 1];
    callKernel(`transformGradient${tile}`, ...which, panels.byteOffset, 32, 1, temp.at);
    assertZero(panels);
  }
});

kernelTest("voxels of either type become floats inside a border", () => {
  const voxels = [0, 7, 255, 1, 2, 3];
  for (const [block, isFloat] of [[bytes(voxels), 0], [floats(voxels), 1]] as const) {
    const out = floats(4 * 5);
    const matrix = floats([0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    callKernel("readSlice", block.at, isFloat, matrix.at, 2, 3, out.at + 24, 20);
    const expected = [0, 0, 0, 0, 0, 0, 0, 7, 255, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0];
    assert.deepEqual([...out.view], expected);
  }
});

kernelTest("voxels are scaled and offset, resampled or not, and the border stays zero", () => {
  const voxels = bytes([0, 7, 255, 1, 2, 3]);
  const asTheyAre = [0, 7, 255, 1, 2, 3];
  // Half a pixel to the right, the edge repeated.
  const shifted = [3.5, 131, 255, 1.5, 2.5, 3];
  for (const [resampled, values] of [[0, asTheyAre], [1, shifted]] as const) {
    const matrix = floats([1, 0, 0.5, 0, 1, 0, 0, 0.25, -3, 0]);
    new Int32Array(matrix.view.buffer, matrix.at + 24, 1)[0] = resampled;
    const out = floats(4 * 5);
    callKernel("readSlice", voxels.at, 0, matrix.at, 2, 3, out.at + 24, 20);
    const [a, b, c, d, e, f] = values.map((value) => value * 0.25 - 3);
    const expected = [0, 0, 0, 0, 0, 0, a, b, c, 0, 0, d, e, f, 0, 0, 0, 0, 0, 0];
    assert.deepEqual([...out.view], expected);
  }
});
