/**
 * What `kernels.wasm` exports. The functions know addresses and sizes only; who calls them says what
 * lies there.
 */
export { adam } from "./adam";
export { foldPanel, unfoldFilters, unfoldPanel } from "./batch_norm";
export { convolve } from "./convolve";
export {
  addFilterGradient6, addFilterGradient8, transformGradient6, transformGradient8,
} from "./filter_gradient";
export { head, nextGroup, spreadToPixels } from "./head";
export { readSlice } from "./image";
export { packInputTap, packPanel, packSummedPanel, packTurnedPanel } from "./pack";
export { listMaxima, maxPool, meanOfPixels, spreadMaxima } from "./pool";
export { addNarrowProduct, addProduct, maskRelu, tileChannels, tilePixels } from "./product";
export { addImage, copyImage } from "./shortcut";
export { sortByPixel, sparseFilter, sparseFilterNarrow, sparseInput } from "./sparse";
export { clear } from "./vector";
export { multiplyTransformed } from "./transformed_product";
export {
  transformBack6, transformBack7, transformBack8, transformFilters6, transformFilters7, transformFilters8,
  transformImage6, transformImage7, transformImage8,
} from "./winograd";
