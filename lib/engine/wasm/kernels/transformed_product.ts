/** The products of Winograd's algorithm: transformed tiles with transformed filters. */
import { fillRows6x32, fillRows6x4, multiplyRows6x32, multiplyRows6x4 } from "./tiles";

/**
 * The products of transformed tiles and filters, one matrix product for each number of a tile.
 *
 * @param products numbers of a tile
 * @param rows sixes of tiles: the tiles are multiplied six at once
 * @param image `[tiles][inputs]`, `imageStride` bytes apart
 * @param filters panels `[panels][inputs][8]`, `filterStride` bytes apart
 * @param out `[tiles][panels × 8]`, `outStride` bytes apart
 * @param inputs a multiple of 4
 */
export function multiplyTransformed(
  products: i32, rows: i32, image: usize, imageStride: usize, filters: usize, filterStride: usize,
  out: usize, outStride: usize, panels: i32, inputs: i32,
): void {
  const pitch = (<usize> inputs) << 2;
  const panelBytes = (<usize> inputs) << 5;
  const outPitch = (<usize> panels) << 5;
  for (let product = 0; product < products; product++) {
    let x = image;
    let to = out;
    for (let row = 0; row < rows; row++, x += 6 * pitch, to += 6 * outPitch) {
      let from = x;
      let panel = filters;
      let input = 0;
      for (; input + 32 <= inputs; input += 32, from += 128, panel += 1024) {
        fillRows6x32(from, pitch);
        multiplyRows6x32(panel, panelBytes, to, outPitch, panels, input == 0);
      }
      for (; input < inputs; input += 4, from += 16, panel += 128) {
        fillRows6x4(from, pitch);
        multiplyRows6x4(panel, panelBytes, to, outPitch, panels, input == 0);
      }
    }
    image += imageStride;
    filters += filterStride;
    out += outStride;
  }
}
