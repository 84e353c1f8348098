// The kernels that only networks with shortcuts and batch normalisation need, against plain loops.
import assert from "node:assert/strict";
import { pixelTable, tilesOf } from "../../lib/model/wasm/tables.ts";
import { pixelClasses } from "../../lib/model/wasm/strided.ts";
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

/** γ, β, μ, σ of some channels, and their addresses. */
function batchNorm(channels: number) {
  const [gamma, beta, mean] = [1, 2, 3].map((seed) => floats(noise(channels, seed)));
  const deviation = floats(noise(channels, 4).map((value) => 1.5 + value));
  return { gamma, beta, mean, deviation };
}

kernelTest("a batch normalisation is folded into a panel, in place too", () => {
  const length = 5;
  for (const inPlace of [false, true]) {
    const { gamma, beta, mean, deviation } = batchNorm(8);
    const plain = noise(8 * length, 5);
    plain[3] = 1e-20;
    const weights = floats(plain);
    const out = inPlace ? weights : floats(8 * length);
    const bias = floats(8);
    const norm = [gamma.at, beta.at, mean.at, deviation.at];
    callKernel("foldPanel", weights.at, length, ...norm, out.at, bias.at);
    const scales = gamma.view.map((each, lane) => each / deviation.view[lane]);
    const expected = plain.map((weight, at) => at === 3 ? 0 : weight * scales[at % 8]);
    assertClose(out.view, expected);
    assert.equal(out.view[3], 0);
    assertClose(bias.view, beta.view.map((each, lane) => each - mean.view[lane] * scales[lane]));
  }
});

kernelTest(
  "the gradients of a panel and of its batch normalisation follow from the folded ones",
  () => {
    const length = 5;
    const { gamma, mean, deviation } = batchNorm(8);
    const weights = floats(noise(8 * length, 5));
    const folded = noise(8 * length, 6);
    const gradient = floats(folded);
    const biasGradient = floats(noise(8, 7));
    const gammaGradient = floats(8);
    const norm = [gamma.at, mean.at, deviation.at, biasGradient.at, gammaGradient.at];
    callKernel("unfoldPanel", weights.at, gradient.at, length, ...norm);
    const scale = (at: number) => gamma.view[at % 8] / deviation.view[at % 8];
    assertClose(gradient.view, folded.map((each, at) => each * scale(at)));
    const expected = new Float32Array(8);
    folded.forEach((each, at) => expected[at % 8] += each * weights.view[at]);
    expected.forEach((sum, lane) => {
      expected[lane] = (sum - mean.view[lane] * biasGradient.view[lane]) / deviation.view[lane];
    });
    assertClose(gammaGradient.view, expected);
  },
);

kernelTest("the first layer's gradients are unfolded without what lies beside its filters", () => {
  const [channels, side] = [3, 7];
  const { gamma, mean, deviation } = batchNorm(channels);
  const each = channels * 144;
  const weights = floats(noise(3 * each, 5));
  const folded = noise(each, 6);
  const gradient = floats(folded);
  const [biasGradient, gammaGradient] = [floats(noise(channels, 7)), floats(channels)];
  const norm = [gamma.at, mean.at, deviation.at, biasGradient.at, gammaGradient.at];
  callKernel("unfoldFilters", weights.at, 4 * each, gradient.at, channels, side, ...norm);
  const expected = new Float32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    let sum = -mean.view[channel] * biasGradient.view[channel];
    for (let row = 0; row < side; row++) {
      for (let tap = 0; tap < side; tap++) {
        const at = channel * 144 + row * 12 + tap;
        const all = [0, 1, 2].reduce((sum, input) => sum + weights.view[input * each + at], 0);
        sum += folded[at] * all;
        const scaled = folded[at] * gamma.view[channel] / deviation.view[channel];
        assertClose([gradient.view[at]], [scaled]);
      }
    }
    expected[channel] = sum / deviation.view[channel];
  }
  assertClose(gammaGradient.view, expected);
});

kernelTest("images are added and copied inside their borders", () => {
  const [height, width, channels] = [3, 5, 4];
  const run = width * channels;
  // Borders of one pixel and of two.
  const image = (border: number, seed: number) => {
    const pitch = (width + 2 * border) * channels * 4;
    const block = floats(noise((height + 2 * border) * pitch / 4, seed));
    return { ...block, pitch, inside: block.at + border * (pitch + 4 * channels), border };
  };
  type Image = ReturnType<typeof image>;
  const at = ({ pitch, border }: Image, row: number, k: number) =>
    (row + border) * pitch / 4 + border * channels + k;
  for (const [kernel, relu] of [["addImage", 0], ["addImage", 1], ["copyImage", 0]] as const) {
    const [out, x] = [image(1, 1), image(2, 2)];
    const expected = out.view.slice();
    for (let row = 0; row < height; row++) {
      for (let k = 0; k < run; k++) {
        const value = x.view[at(x, row, k)];
        const sum = kernel === "addImage" ? out.view[at(out, row, k)] + value : value;
        expected[at(out, row, k)] = relu ? Math.max(0, sum) : sum;
      }
    }
    const sizes = kernel === "addImage" ? [height, run, relu] : [height, run];
    callKernel(kernel, out.inside, out.pitch, x.inside, x.pitch, ...sizes);
    assertClose(out.view, expected);
  }
});

// Channels that are six and eight and eight and eight apart from tiles of six: 8 = 4 + 4, 16 = 6 + 6 + 4.
for (const [inputs, stride] of [[8, 1], [16, 2], [12, 1]]) {
  kernelTest(`a filter gradient of ${inputs} channels is made in tiles, stride ${stride}`, () => {
    const [height, width, outputs, rowPixels] = [3, 5, 16, 7];
    const columns = (width - 1) * stride + 1;
    const x = floats(noise(((height - 1) * stride + 1) * columns * inputs, 1));
    const dy = noise(height * rowPixels * outputs, 2);
    const panels = floats(dy.length);
    dy.forEach((value, at) => {
      const [pixel, output] = [Math.floor(at / outputs), at % outputs];
      panels.view[(Math.floor(output / 8) * height * rowPixels + pixel) * 8 + output % 8] = value;
    });
    const fours = inputs % 3;
    const sixes = (inputs - 4 * fours) / 6;
    const pixels = height * rowPixels;
    const tiles = floats(pixels * inputs);
    const from = [x.at, stride * columns * inputs * 4, stride * inputs * 4, tiles.at];
    callKernel("tilePixels", ...from, height, width, rowPixels, sixes, fours);
    const dw = floats(inputs * outputs);
    const b = [panels.at, pixels * 32, outputs / 8];
    const lines = [inputs * 32, height, width, rowPixels - width];
    callKernel("addProduct", tiles.at, pixels * 24, sixes, ...b, dw.at, ...lines);
    const rest = tiles.at + sixes * pixels * 24;
    callKernel("addNarrowProduct", rest, pixels * 16, fours, ...b, dw.at + sixes * 192, ...lines);
    const expected = new Float32Array(dw.view.length);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        for (let k = 0; k < inputs * outputs; k++) {
          const [input, output] = [Math.floor(k / outputs), k % outputs];
          const to = (Math.floor(output / 8) * inputs + input) * 8 + output % 8;
          expected[to] += x.view[(row * columns + column) * stride * inputs + input] *
            dy[(row * rowPixels + column) * outputs + output];
        }
      }
    }
    assertClose(dw.view, expected);
  });
}

// With a stride of two, filters that reach as far as the next window and filters that do not.
for (const [size, stride, padding] of [[3, 2, 1], [1, 2, 0], [5, 2, 2], [2, 3, 0], [7, 1, 3]]) {
  const which = `${size}×${size} filters, stride ${stride}, padding ${padding}`;
  kernelTest(`the classes of pixels make the input gradient of ${which}`, () => {
    const [height, width, inputs, outputs] = [9, 8, 8, 16];
    const [down, across] = [height, width].map((side) =>
      Math.floor((side + 2 * padding - size) / stride) + 1
    );
    const filters = noise(outputs * size * size * inputs, 1);
    const panels = floats(panelsOf(filters, size * size * inputs));
    const { gamma, deviation } = batchNorm(outputs);
    const border = Math.ceil((size - 1 - padding) / stride);
    const [step, pitch] = [outputs * 4, (across + 2 * border) * outputs * 4];
    const dy = floats((down + 2 * border) * pitch / 4);
    const inside = dy.at + border * (pitch + step);
    const dx = floats(height * width * inputs);
    const expected = new Float32Array(dx.view.length);
    noise(down * across * outputs, 2).forEach((value, at) => {
      const [pixel, output] = [Math.floor(at / outputs), at % outputs];
      const [row, column] = [Math.floor(pixel / across), pixel % across];
      dy.view[(row + border) * pitch / 4 + (column + border) * outputs + output] = value;
      for (let k = 0; k < size * size * inputs; k++) {
        const [tap, input] = [Math.floor(k / inputs), k % inputs];
        const y = row * stride + Math.floor(tap / size) - padding;
        const x = column * stride + tap % size - padding;
        if (y < 0 || x < 0 || y >= height || x >= width) continue;
        const scale = gamma.view[output] / deviation.view[output];
        const weight = filters[output * size * size * inputs + k] * scale;
        expected[(y * width + x) * inputs + input] += value * weight;
      }
    });
    const to = { pitch: stride * width * inputs * 4, step: stride * inputs * 4 };
    for (const { rows, columns } of pixelClasses({ size, stride, padding }, { height, width })) {
      const taps = rows.taps.flatMap((row) => columns.taps.map((tap) => row * size + tap));
      const weights = floats(taps.length * outputs * inputs);
      taps.forEach((tap, at) => {
        const from = panels.at + tap * inputs * 32;
        const norm = [gamma.at, deviation.at, weights.at + at * outputs * 32];
        callKernel("packInputTap", from, size * size * inputs * 32, ...norm, outputs);
      });
      const table = pixelTable({ height: rows.count, width: columns.count }, { pitch, step }, to);
      const x = inside + rows.output * pitch + columns.output * step;
      const out = dx.at + (rows.first * width + columns.first) * inputs * 4;
      const run = columns.taps.length * outputs;
      const addresses = [ints(table).at, tilesOf(table), x, out, weights.at, 0];
      callKernel("convolve", ...addresses, 1, rows.taps.length, pitch, run, 1, run, 0);
    }
    assertClose(dx.view, expected);
  });
}

kernelTest("a pool whose input has a border of zeros is a pool with padding", () => {
  const [height, width, channels] = [6, 7, 4];
  const values = noise(height * width * channels, 5).map((value) => Math.max(0, value));
  const pitch = (width + 2) * channels * 4;
  const x = floats((height + 2) * pitch / 4);
  for (let row = 0; row < height; row++) {
    const line = values.subarray(row * width * channels, (row + 1) * width * channels);
    x.view.set(line, (row + 1) * pitch / 4 + channels);
  }
  const [down, across] = [3, 4];
  const out = floats(down * across * channels);
  const argmax = bytes(out.view.length);
  callKernel(
    "maxPool",
    x.at,
    pitch,
    out.at,
    4 * across * channels,
    argmax.at,
    down,
    across,
    channels,
  );
  out.view.forEach((found, at) => {
    const [pixel, channel] = [Math.floor(at / channels), at % channels];
    const [row, column] = [Math.floor(pixel / across), pixel % across];
    const nine = Array.from({ length: 9 }, (_, tap) => {
      const [y, x] = [2 * row + Math.floor(tap / 3) - 1, 2 * column + tap % 3 - 1];
      const inside = y >= 0 && x >= 0 && y < height && x < width;
      return inside ? values[(y * width + x) * channels + channel] : -Infinity;
    });
    const most = Math.max(...nine);
    assert.equal(found, most);
    assert.equal(argmax.view[at], most > 0 ? nine.indexOf(most) : 255);
  });
});
