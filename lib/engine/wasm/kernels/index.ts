/**
 * What `kernels.wasm` exports. The functions know addresses and sizes only; who calls them says what
 * lies there.
 */
export { adam } from "./adam";
export { foldPanel, unfoldFilters, unfoldPanel } from "./batch_norm";
export { convolve } from "./convolve";
export { addFilterGradient, transformGradient } from "./filter_gradient";
export { head, spreadToPixels } from "./head";
export { readSlice } from "./image";
export { packInputTap, packPanel, packSummedPanel, packTurnedPanel } from "./pack";
export { listMaxima, maxPool, meanOfPixels } from "./pool";
export { addNarrowProduct, addProduct, maskRelu, tileChannels, tilePixels } from "./product";
export { addImage, copyImage } from "./shortcut";
export { sortByPixel, sparseFilter, sparseFilterNarrow, sparseInput } from "./sparse";
export { clear } from "./vector";
export { multiplyTransformed } from "./transformed_product";
export { transformBack, transformFilters, transformImage } from "./winograd";
export { transformBack5, transformFilters5, transformImage5 } from "./winograd5";
