/** The products of Winograd's algorithm: transformed tiles with transformed filters. */
import { fillRows6x32, fillRows6x4, multiplyRows6x32, multiplyRows6x4 } from "./tiles";

/**
 * The products of transformed tiles and filters, one matrix product for each number of a tile.
 *
 * So many inputs at once that their filters, some 50 kB, stay near while all tiles are multiplied by them.
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
    let input = 0;
    let panel = filters;
    let x = image;
    for (; input + 32 <= inputs; input += 32, x += 128, panel += 1024) {
      let from = x;
      let to = out;
      for (let row = 0; row < rows; row++, from += 6 * pitch, to += 6 * outPitch) {
        fillRows6x32(from, pitch);
        multiplyRows6x32(panel, panelBytes, to, outPitch, panels, input == 0);
      }
    }
    for (; input < inputs; input += 4, x += 16, panel += 128) {
      let from = x;
      let to = out;
      for (let row = 0; row < rows; row++, from += 6 * pitch, to += 6 * outPitch) {
        fillRows6x4(from, pitch);
        multiplyRows6x4(panel, panelBytes, to, outPitch, panels, input == 0);
      }
    }
    image += imageStride;
    filters += filterStride;
    out += outStride;
  }
}
