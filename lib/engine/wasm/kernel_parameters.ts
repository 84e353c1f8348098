/**
 * The processor's kernels and the names of their parameters, in the order in which they are passed.
 * Made by `deno task build:wasm` of the kernels' source.
 */

/** The parameters of each kernel, by its name. */
// deno-fmt-ignore
export const KERNEL_PARAMETERS = {
  adam: ["parameter", "first", "second", "gradient", "stride", "threads", "count", "settings"],
  addFilterGradient: ["image", "imageStride", "sixes", "fours", "gradient", "gradientStride", "panels", "room", "tiles", "dw", "temp"],
  addImage: ["out", "outPitch", "x", "pitch", "height", "run", "relu"],
  addNarrowProduct: ["a", "aStride", "tiles", "b", "bStride", "panels", "c", "cStride", "lines", "length", "skip"],
  addProduct: ["a", "aStride", "tiles", "b", "bStride", "panels", "c", "cStride", "lines", "length", "skip"],
  clear: ["at", "bytes"],
  convolve: ["table", "tiles", "x", "out", "weights", "bias", "panels", "rows", "pitch", "run", "rowsAtOnce", "block", "relu"],
  copyImage: ["out", "outPitch", "x", "pitch", "height", "run"],
  foldPanel: ["weights", "length", "gamma", "beta", "mean", "deviation", "out", "bias"],
  head: ["means", "slices", "channels", "weights", "bias", "stepInput", "answer", "argmax", "gradient", "weightGradient", "biasGradient", "owners", "threads"],
  listMaxima: ["dy", "pitch", "argmax", "height", "width", "channels", "convWidth", "xPitch", "xStep", "lists", "counts", "biasGradient"],
  maskRelu: ["dy", "y", "masked", "height", "width", "channels", "pitch", "biasGradient", "tiled", "panelBytes"],
  maxPool: ["x", "xPitch", "out", "outPitch", "argmax", "height", "width", "channels"],
  meanOfPixels: ["x", "out", "pixels", "channels"],
  multiplyTransformed: ["products", "rows", "image", "imageStride", "filters", "filterStride", "out", "outStride", "panels", "inputs"],
  packInputTap: ["weights", "panelBytes", "gamma", "deviation", "out", "outputs"],
  packPanel: ["weights", "out", "length"],
  packSummedPanel: ["weights", "stride", "out", "rows", "taps"],
  packTurnedPanel: ["weights", "out", "taps", "inputs", "outputs"],
  readSlice: ["voxels", "float", "matrix", "height", "width", "out", "pitch"],
  sortByPixel: ["lists", "listBytes", "counts", "channels", "pixels", "starts", "entries"],
  sparseFilter: ["lists", "listBytes", "counts", "channels", "x", "pitch", "rows", "chunks", "dw"],
  sparseFilterNarrow: ["lists", "listBytes", "counts", "channels", "x", "pitch", "rows", "dw"],
  sparseInput: ["starts", "entries", "height", "width", "weights", "rows", "chunks", "dx", "pitch", "step"],
  spreadToPixels: ["gradient", "argmax", "slice", "out", "pixels", "channels"],
  tileChannels: ["x", "out", "pixels", "channels"],
  tilePixels: ["x", "pitch", "step", "out", "height", "width", "rowPixels", "sixes", "fours"],
  transformBack: ["products", "stride", "bias", "relu", "out", "pitch", "height", "width", "channels", "across", "from", "count", "temp"],
  transformBack5: ["products", "stride", "bias", "relu", "out", "pitch", "height", "width", "channels", "across", "from", "count", "temp"],
  transformFilters: ["weights", "out", "stride", "inputs", "temp"],
  transformFilters5: ["weights", "out", "stride", "inputs", "temp"],
  transformGradient: ["x", "pitch", "rows", "columns", "channels", "across", "from", "count", "out", "stride", "room", "temp"],
  transformImage: ["x", "rows", "columns", "channels", "across", "from", "count", "out", "stride", "temp"],
  transformImage5: ["x", "rows", "columns", "channels", "across", "from", "count", "out", "stride", "temp"],
  unfoldFilters: ["weights", "stride", "gradient", "channels", "side", "gamma", "mean", "deviation", "biasGradient", "gammaGradient"],
  unfoldPanel: ["weights", "gradient", "length", "gamma", "mean", "deviation", "biasGradient", "gammaGradient"],
} as const;
