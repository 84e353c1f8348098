/**
 * The gradients of a convolution on WebAssembly, which TensorFlow.js lacks there.
 *
 * Both are convolutions themselves, so both run on the library's own forward kernel:
 *
 * - with respect to the filter: the input's channels become the batch, its batch becomes the
 *   channels, and `dy` is the filter, dilated by the stride;
 * - with respect to the input: `dy`, padded, against the filter rotated by 180° with its input and
 *   output channels exchanged.
 *
 * Source: V. Dumoulin and F. Visin, A guide to convolution arithmetic for deep learning, 2016,
 * chapter 4.
 */
import * as tf from "../../tf.ts";

type Size4D = [number, number, number, number];
type Pair = [number, number];

/**
 * The gradient of a convolution with respect to its filter.
 *
 * @param x the input, `[batch, height, width, inChannels]`
 * @param dy the gradient of the output, `[batch, outHeight, outWidth, outChannels]`
 * @param filterSize height and width of the filter
 * @param strides stride along height and width
 * @param padding rows above, rows below, columns left and columns right of `x`
 * @returns `[filterHeight, filterWidth, inChannels, outChannels]`
 */
export function conv2DBackpropFilter(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  filterSize: Pair,
  strides: Pair,
  padding: Size4D,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [top, bottom, left, right] = padding;
    const channelsFirst: tf.Tensor4D = tf.transpose(x, [3, 1, 2, 0]);
    const asFilter: tf.Tensor4D = tf.transpose(dy, [1, 2, 0, 3]);
    const pad: tf.ExplicitPadding = [[0, 0], [top, bottom], [left, right], [0, 0]];
    const products = tf.conv2d(channelsFirst, asFilter, 1, pad, "NHWC", strides);
    // Rows and columns that the strided output never reached come out as surplus taps.
    const [inChannels, , , outChannels] = products.shape;
    const taps = tf.slice(products, 0, [inChannels, ...filterSize, outChannels]);
    return tf.transpose(taps, [1, 2, 0, 3]);
  });
}

/**
 * The gradient of a convolution of stride 1 with respect to its input.
 *
 * @param dy the gradient of the output, `[batch, outHeight, outWidth, outChannels]`
 * @param filter `[filterHeight, filterWidth, inChannels, outChannels]`
 * @param padding rows above, rows below, columns left and columns right of the input
 * @returns `[batch, height, width, inChannels]`
 */
export function conv2DBackpropInput(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  padding: Size4D,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [height, width, inChannels, outChannels] = filter.shape;
    const [top, bottom, left, right] = padding;
    // Rotated by 180°, the taps are in the opposite order. Whole taps are moved, because the library's
    // reverse and gather move single numbers: they took a fifth of a step on small images.
    const taps = tf.unstack(tf.reshape(filter, [height * width, inChannels, outChannels]));
    const exchanged: tf.Tensor4D = tf.reshape(
      tf.transpose(tf.stack(taps.reverse()), [0, 2, 1]),
      [height, width, outChannels, inChannels],
    );
    return tf.conv2d(dy, exchanged, 1, [
      [0, 0],
      [height - 1 - top, height - 1 - bottom],
      [width - 1 - left, width - 1 - right],
      [0, 0],
    ]);
  });
}

/** Registers both gradients for the `wasm` backend, in place of what is there. */
export function registerConv2DGradients(): void {
  const stock = tf.getKernel("Conv2DBackpropInput", "wasm");
  _replace("Conv2DBackpropInput", (call) => {
    // A kernel's inputs are tensors, although their type promises less.
    const { dy, filter } = call.inputs as { dy: tf.Tensor4D; filter: tf.Tensor4D };
    const attrs = call.attrs as unknown as tf.Conv2DBackpropInputAttrs;
    const info = _convInfo(attrs.inputShape, filter.shape, attrs);
    const { strideHeight, strideWidth, dataFormat } = info;
    if (strideHeight !== 1 || strideWidth !== 1 || dataFormat !== "channelsLast") {
      return stock.kernelFunc(call);
    }
    return conv2DBackpropInput(dy, filter, _padding(info));
    // The stock kernel is still needed, and finds its C function when the backend starts.
  }, stock.setupFunc);
  _replace("Conv2DBackpropFilter", (call) => {
    const { x, dy } = call.inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
    const attrs = call.attrs as unknown as tf.Conv2DBackpropFilterAttrs;
    const info = _convInfo(x.shape, attrs.filterShape, attrs);
    if (info.dataFormat !== "channelsLast") {
      throw new Error("The WebAssembly engine differentiates NHWC convolutions only");
    }
    const filterSize: Pair = [info.filterHeight, info.filterWidth];
    const strides: Pair = [info.strideHeight, info.strideWidth];
    return conv2DBackpropFilter(x, dy, filterSize, strides, _padding(info));
  });
}

function _replace(
  kernelName: string,
  kernelFunc: tf.KernelFunc,
  setupFunc?: tf.KernelConfig["setupFunc"],
): void {
  if (tf.getKernel(kernelName, "wasm") !== undefined) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc, setupFunc });
}

type Geometry = Pick<
  tf.Conv2DBackpropFilterAttrs,
  "strides" | "pad" | "dataFormat" | "dimRoundingMode"
>;

function _convInfo(x: Size4D, filter: Size4D, { strides, pad, dataFormat, ...more }: Geometry) {
  const format = tf.backend_util.convertConv2DDataFormat(dataFormat);
  const { computeConv2DInfo } = tf.backend_util;
  return computeConv2DInfo(x, filter, strides, 1, pad, more.dimRoundingMode, false, format);
}

function _padding({ padInfo }: tf.Conv2DInfo): Size4D {
  return [padInfo.top, padInfo.bottom, padInfo.left, padInfo.right];
}
