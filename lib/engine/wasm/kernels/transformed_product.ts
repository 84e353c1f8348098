/** The products of Winograd's algorithm: transformed tiles with transformed filters. */
import {
  fillRows4x32, fillRows4x4, fillRows5x32, fillRows5x4, fillRows6x32, fillRows6x4, multiplyRows4x32,
  multiplyRows4x4, multiplyRows5x32, multiplyRows5x4, multiplyRows6x32, multiplyRows6x4,
} from "./tiles";

/** Most tiles that are multiplied at once. */
const TOGETHER: i32 = 6;

/**
 * The products of transformed tiles and filters, one matrix product for each number of a tile.
 *
 * So many inputs at once that their filters, some 50 kB, stay near while all tiles are multiplied by them.
 * Tiles go in groups of six, five and four that are as equal as can be, so that none is multiplied in vain.
 * Fewer than four are computed as four: there is room behind the last.
 *
 * @param products numbers of a tile
 * @param image `[tiles][inputs]`, `imageStride` bytes apart
 * @param filters panels `[panels][inputs][8]`, `filterStride` bytes apart
 * @param out `[tiles][panels × 8]`, `outStride` bytes apart
 * @param inputs a multiple of 4
 */
export function multiplyTransformed(
  products: i32, tiles: i32, image: usize, imageStride: usize, filters: usize, filterStride: usize,
  out: usize, outStride: usize, panels: i32, inputs: i32,
): void {
  const pitch = (<usize> inputs) << 2;
  const panelBytes = (<usize> inputs) << 5;
  const outPitch = (<usize> panels) << 5;
  const groups = (tiles + TOGETHER - 1) / TOGETHER;
  const least = tiles / groups;
  const larger = tiles % groups;
  for (let product = 0; product < products; product++) {
    let input = 0;
    let panel = filters;
    let x = image;
    for (; input + 32 <= inputs; input += 32, x += 128, panel += 1024) {
      let from = x;
      let to = out;
      for (let group = 0; group < groups; group++) {
        const some = <usize> (group < larger ? least + 1 : least);
        if (some == 6) {
          fillRows6x32(from, pitch);
          multiplyRows6x32(panel, panelBytes, to, outPitch, panels, input == 0);
        } else if (some == 5) {
          fillRows5x32(from, pitch);
          multiplyRows5x32(panel, panelBytes, to, outPitch, panels, input == 0);
        } else {
          fillRows4x32(from, pitch);
          multiplyRows4x32(panel, panelBytes, to, outPitch, panels, input == 0);
        }
        from += some * pitch;
        to += some * outPitch;
      }
    }
    for (; input < inputs; input += 4, x += 16, panel += 128) {
      let from = x;
      let to = out;
      for (let group = 0; group < groups; group++) {
        const some = <usize> (group < larger ? least + 1 : least);
        if (some == 6) {
          fillRows6x4(from, pitch);
          multiplyRows6x4(panel, panelBytes, to, outPitch, panels, input == 0);
        } else if (some == 5) {
          fillRows5x4(from, pitch);
          multiplyRows5x4(panel, panelBytes, to, outPitch, panels, input == 0);
        } else {
          fillRows4x4(from, pitch);
          multiplyRows4x4(panel, panelBytes, to, outPitch, panels, input == 0);
        }
        from += some * pitch;
        to += some * outPitch;
      }
    }
    image += imageStride;
    filters += filterStride;
    out += outStride;
  }
}
