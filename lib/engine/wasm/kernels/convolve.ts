/**
 * A convolution as a matrix product that never builds its matrix.
 *
 * The image is channels-last with its border of zeros in memory. So a row of the filter lies over one run
 * of memory, filter width × channels floats, and a pixel's product over `rows` runs needs no bounds check
 * and no copy. A table says where each output pixel's first run starts and where its output goes. After
 * M. Dukhan, The Indirect Convolution Algorithm, 2019.
 *
 * `deno fmt` leaves this folder alone: what is done to the registers of a tile reads as a table, and lists
 * of parameters take no line each.
 */
import { madd } from "./vector";

/**
 * The register tile: 6 pixels × 8 channels, 12 sums. With two vectors of weights and one of the image
 * that is 15 of the 16 vector registers, and 12 independent sums keep two multipliers of latency 4 busy.
 *
 * @param table for each tile of six pixels, six pairs of byte offsets: into `x`, and into `out`. Where
 *   pixels run out the last is repeated: it is computed again, and the same is stored twice.
 * @param tiles how many tiles
 * @param weights panels `[panels][rows][run][8]`
 * @param bias `[panels × 8]`, or 0 for none
 * @param rows how many runs a filter has
 * @param pitch bytes from a run to the next
 * @param run floats in a run, a multiple of 4
 * @param rowsAtOnce how many runs are multiplied before a sum is stored; 1 if a run has several blocks
 * @param block floats of a run that are multiplied at once: so few that their weights stay in the first
 *   cache
 * @param relu 1: what is below zero becomes zero
 */
export function convolve(
  table: usize, tiles: i32, x: usize, out: usize, weights: usize, bias: usize, panels: i32,
  rows: i32, pitch: usize, run: i32, rowsAtOnce: i32, block: i32, relu: i32,
): void {
  const panelBytes = (<usize> (rows * run)) << 5;
  for (let panel = 0; panel < panels; panel++) {
    for (let row = 0; row < rows; row += rowsAtOnce) {
      for (let from = 0; from < run; from += block) {
        const first = row == 0 && from == 0;
        const last = row + rowsAtOnce >= rows && from + block >= run;
        const image = x + <usize> row * pitch + ((<usize> from) << 2);
        const blockAt = weights + ((<usize> (row * run + from)) << 5);
        multiplyBlock(
          table, tiles, image, out, blockAt, bias, pitch, rowsAtOnce, block, first, last && relu != 0,
        );
      }
    }
    weights += panelBytes;
    out += 32;
    if (bias) bias += 32;
  }
}

/**
 * One block of a panel for all tiles: `rows` runs of `block` floats each.
 *
 * @param first whether the sums begin here, with the bias; otherwise they go on from what `out` holds
 * @param relu whether the sums end here, and what is below zero becomes zero
 */
// @ts-ignore: decorator
@inline
function multiplyBlock(
  table: usize, tiles: i32, x: usize, out: usize, weights: usize, bias: usize, pitch: usize, rows: i32,
  block: i32, first: bool, relu: bool,
): void {
  const zero = f32x4.splat(0);
  const back = pitch - ((<usize> block) << 2);
  let entry = table;
  for (let tile = 0; tile < tiles; tile++, entry += 48) {
    let x0 = x + <usize> load<i32>(entry, 0);
    let x1 = x + <usize> load<i32>(entry, 8);
    let x2 = x + <usize> load<i32>(entry, 16);
    let x3 = x + <usize> load<i32>(entry, 24);
    let x4 = x + <usize> load<i32>(entry, 32);
    let x5 = x + <usize> load<i32>(entry, 40);
    let s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero;
    let t0 = zero, t1 = zero, t2 = zero, t3 = zero, t4 = zero, t5 = zero;
    if (!first) {
      const o0 = out + <usize> load<i32>(entry, 4); s0 = v128.load(o0); t0 = v128.load(o0, 16);
      const o1 = out + <usize> load<i32>(entry, 12); s1 = v128.load(o1); t1 = v128.load(o1, 16);
      const o2 = out + <usize> load<i32>(entry, 20); s2 = v128.load(o2); t2 = v128.load(o2, 16);
      const o3 = out + <usize> load<i32>(entry, 28); s3 = v128.load(o3); t3 = v128.load(o3, 16);
      const o4 = out + <usize> load<i32>(entry, 36); s4 = v128.load(o4); t4 = v128.load(o4, 16);
      const o5 = out + <usize> load<i32>(entry, 44); s5 = v128.load(o5); t5 = v128.load(o5, 16);
    } else if (bias) {
      s0 = s1 = s2 = s3 = s4 = s5 = v128.load(bias);
      t0 = t1 = t2 = t3 = t4 = t5 = v128.load(bias, 16);
    }
    let w = weights;
    for (let r = 0; r < rows; r++) {
      const end = w + ((<usize> block) << 5);
      do {
        let wa = v128.load(w); let wb = v128.load(w, 16);
        let px = v128.load32_splat(x0); s0 = madd(px, wa, s0); t0 = madd(px, wb, t0);
        px = v128.load32_splat(x1); s1 = madd(px, wa, s1); t1 = madd(px, wb, t1);
        px = v128.load32_splat(x2); s2 = madd(px, wa, s2); t2 = madd(px, wb, t2);
        px = v128.load32_splat(x3); s3 = madd(px, wa, s3); t3 = madd(px, wb, t3);
        px = v128.load32_splat(x4); s4 = madd(px, wa, s4); t4 = madd(px, wb, t4);
        px = v128.load32_splat(x5); s5 = madd(px, wa, s5); t5 = madd(px, wb, t5);
        wa = v128.load(w, 32); wb = v128.load(w, 48);
        px = v128.load32_splat(x0, 4); s0 = madd(px, wa, s0); t0 = madd(px, wb, t0);
        px = v128.load32_splat(x1, 4); s1 = madd(px, wa, s1); t1 = madd(px, wb, t1);
        px = v128.load32_splat(x2, 4); s2 = madd(px, wa, s2); t2 = madd(px, wb, t2);
        px = v128.load32_splat(x3, 4); s3 = madd(px, wa, s3); t3 = madd(px, wb, t3);
        px = v128.load32_splat(x4, 4); s4 = madd(px, wa, s4); t4 = madd(px, wb, t4);
        px = v128.load32_splat(x5, 4); s5 = madd(px, wa, s5); t5 = madd(px, wb, t5);
        wa = v128.load(w, 64); wb = v128.load(w, 80);
        px = v128.load32_splat(x0, 8); s0 = madd(px, wa, s0); t0 = madd(px, wb, t0);
        px = v128.load32_splat(x1, 8); s1 = madd(px, wa, s1); t1 = madd(px, wb, t1);
        px = v128.load32_splat(x2, 8); s2 = madd(px, wa, s2); t2 = madd(px, wb, t2);
        px = v128.load32_splat(x3, 8); s3 = madd(px, wa, s3); t3 = madd(px, wb, t3);
        px = v128.load32_splat(x4, 8); s4 = madd(px, wa, s4); t4 = madd(px, wb, t4);
        px = v128.load32_splat(x5, 8); s5 = madd(px, wa, s5); t5 = madd(px, wb, t5);
        wa = v128.load(w, 96); wb = v128.load(w, 112);
        px = v128.load32_splat(x0, 12); s0 = madd(px, wa, s0); t0 = madd(px, wb, t0);
        px = v128.load32_splat(x1, 12); s1 = madd(px, wa, s1); t1 = madd(px, wb, t1);
        px = v128.load32_splat(x2, 12); s2 = madd(px, wa, s2); t2 = madd(px, wb, t2);
        px = v128.load32_splat(x3, 12); s3 = madd(px, wa, s3); t3 = madd(px, wb, t3);
        px = v128.load32_splat(x4, 12); s4 = madd(px, wa, s4); t4 = madd(px, wb, t4);
        px = v128.load32_splat(x5, 12); s5 = madd(px, wa, s5); t5 = madd(px, wb, t5);
        x0 += 16; x1 += 16; x2 += 16; x3 += 16; x4 += 16; x5 += 16;
        w += 128;
      } while (w < end);
      x0 += back; x1 += back; x2 += back; x3 += back; x4 += back; x5 += back;
    }
    if (relu) {
      s0 = f32x4.max(s0, zero); s1 = f32x4.max(s1, zero); s2 = f32x4.max(s2, zero);
      s3 = f32x4.max(s3, zero); s4 = f32x4.max(s4, zero); s5 = f32x4.max(s5, zero);
      t0 = f32x4.max(t0, zero); t1 = f32x4.max(t1, zero); t2 = f32x4.max(t2, zero);
      t3 = f32x4.max(t3, zero); t4 = f32x4.max(t4, zero); t5 = f32x4.max(t5, zero);
    }
    const o0 = out + <usize> load<i32>(entry, 4); v128.store(o0, s0); v128.store(o0, t0, 16);
    const o1 = out + <usize> load<i32>(entry, 12); v128.store(o1, s1); v128.store(o1, t1, 16);
    const o2 = out + <usize> load<i32>(entry, 20); v128.store(o2, s2); v128.store(o2, t2, 16);
    const o3 = out + <usize> load<i32>(entry, 28); v128.store(o3, s3); v128.store(o3, t3, 16);
    const o4 = out + <usize> load<i32>(entry, 36); v128.store(o4, s4); v128.store(o4, t4, 16);
    const o5 = out + <usize> load<i32>(entry, 44); v128.store(o5, s5); v128.store(o5, t5, 16);
  }
}
