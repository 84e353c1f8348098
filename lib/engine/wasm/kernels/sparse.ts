/**
 * The gradients of a convolution that a maximum follows: its output's gradient is mostly zero. They are
 * sums over the lists that `listMaxima` makes, not dense products.
 *
 * A slice's gradient of a filter is summed up from zero and then added to the others. So the slices' sums
 * do not depend on each other, and the order in which threads compute them moves the last bits only.
 */
import { add, madd } from "./vector";

/**
 * Gradient with respect to the filter: for each channel the sum of the input under it, at the pixels
 * that were the maximum of a window.
 *
 * @param x the convolution's input
 * @param dw `[channels][rows][chunks × 32]`; added to
 * @param listBytes from a channel's list to the next
 */
export function sparseFilter(
  lists: usize, listBytes: usize, counts: usize, channels: i32, x: usize, pitch: usize, rows: i32,
  chunks: i32, dw: usize,
): void {
  const filterBytes = (<usize> (rows * chunks)) << 7;
  const zero = f32x4.splat(0);
  for (let channel = 0; channel < channels; channel++) {
    const count = load<i32>(counts + ((<usize> channel) << 2));
    const start = lists + <usize> channel * listBytes;
    const end = start + <usize> (count * 12);
    let at = dw + <usize> channel * filterBytes;
    if (count == 0) continue;
    for (let row = 0; row < rows; row++) {
      let run = x + <usize> row * pitch;
      for (let chunk = 0; chunk < chunks; chunk++) {
        let s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero;
        for (let entry = start; entry < end; entry += 12) {
          const from = run + <usize> load<i32>(entry);
          const g = v128.load32_splat(entry, 4);
          s0 = madd(g, v128.load(from), s0); s1 = madd(g, v128.load(from, 16), s1);
          s2 = madd(g, v128.load(from, 32), s2); s3 = madd(g, v128.load(from, 48), s3);
          s4 = madd(g, v128.load(from, 64), s4); s5 = madd(g, v128.load(from, 80), s5);
          s6 = madd(g, v128.load(from, 96), s6); s7 = madd(g, v128.load(from, 112), s7);
        }
        add(at, s0); add(at + 16, s1); add(at + 32, s2); add(at + 48, s3);
        add(at + 64, s4); add(at + 80, s5); add(at + 96, s6); add(at + 112, s7);
        run += 128;
        at += 128;
      }
    }
  }
}

/**
 * The same for runs of 12 floats, four rows at a time; `dw` is `[channels][rows][12]`.
 */
export function sparseFilterNarrow(
  lists: usize, listBytes: usize, counts: usize, channels: i32, x: usize, pitch: usize, rows: i32,
  dw: usize,
): void {
  const filterBytes = <usize> (rows * 48);
  const zero = f32x4.splat(0);
  for (let channel = 0; channel < channels; channel++) {
    const count = load<i32>(counts + ((<usize> channel) << 2));
    const start = lists + <usize> channel * listBytes;
    const end = start + <usize> (count * 12);
    let at = dw + <usize> channel * filterBytes;
    if (count == 0) continue;
    for (let row = 0; row < rows; row += 4) {
      const run = x + <usize> row * pitch;
      let s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero;
      let s6 = zero, s7 = zero, s8 = zero, s9 = zero, sa = zero, sb = zero;
      for (let entry = start; entry < end; entry += 12) {
        let from = run + <usize> load<i32>(entry);
        const g = v128.load32_splat(entry, 4);
        s0 = madd(g, v128.load(from), s0);
        s1 = madd(g, v128.load(from, 16), s1);
        s2 = madd(g, v128.load(from, 32), s2);
        from += pitch;
        s3 = madd(g, v128.load(from), s3);
        s4 = madd(g, v128.load(from, 16), s4);
        s5 = madd(g, v128.load(from, 32), s5);
        from += pitch;
        s6 = madd(g, v128.load(from), s6);
        s7 = madd(g, v128.load(from, 16), s7);
        s8 = madd(g, v128.load(from, 32), s8);
        from += pitch;
        s9 = madd(g, v128.load(from), s9);
        sa = madd(g, v128.load(from, 16), sa);
        sb = madd(g, v128.load(from, 32), sb);
      }
      add(at, s0); add(at + 16, s1); add(at + 32, s2); add(at + 48, s3);
      add(at + 64, s4); add(at + 80, s5); add(at + 96, s6); add(at + 112, s7);
      add(at + 128, s8); add(at + 144, s9); add(at + 160, sa); add(at + 176, sb);
      at += 192;
    }
  }
}

/**
 * Sorts the channels' lists by pixel: entries of 8 bytes hold the channel and the gradient.
 *
 * @param starts `[pixels + 1]`; where each pixel's entries start and the last one's end
 */
export function sortByPixel(
  lists: usize, listBytes: usize, counts: usize, channels: i32, pixels: i32, starts: usize,
  entries: usize,
): void {
  memory.fill(starts, 0, (<usize> (pixels + 2)) << 2);
  // Counted two words on, so that after the sums `starts[pixel + 1]` is where its next entry goes.
  for (let channel = 0; channel < channels; channel++) {
    const count = load<i32>(counts + ((<usize> channel) << 2));
    let entry = lists + <usize> channel * listBytes;
    for (let i = 0; i < count; i++, entry += 12) {
      const at = starts + ((<usize> load<i32>(entry, 8)) << 2);
      store<i32>(at, load<i32>(at, 8) + 1, 8);
    }
  }
  let sum = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    const at = starts + ((<usize> pixel) << 2);
    sum += load<i32>(at, 8);
    store<i32>(at, sum, 8);
  }
  for (let channel = 0; channel < channels; channel++) {
    const count = load<i32>(counts + ((<usize> channel) << 2));
    let entry = lists + <usize> channel * listBytes;
    for (let i = 0; i < count; i++, entry += 12) {
      const at = starts + ((<usize> load<i32>(entry, 8)) << 2);
      const next = load<i32>(at, 4);
      store<i32>(at, next + 1, 4);
      const to = entries + ((<usize> next) << 3);
      store<i32>(to, channel);
      store<f32>(to, load<f32>(entry, 4), 4);
    }
  }
}

/**
 * Gradient with respect to the input, of a convolution of stride 1. A pixel adds the filters of the
 * channels listed for it to the gradient of the input under it. Chunks of the filter are computed one
 * after the other, so that one chunk of all filters stays in the first cache.
 *
 * @param weights `[channels][rows][chunks × 32]`
 * @param dx laid out as the input; added to
 * @param step bytes between what two pixels of a row see
 */
export function sparseInput(
  starts: usize, entries: usize, height: i32, width: i32, weights: usize, rows: i32, chunks: i32,
  dx: usize, pitch: usize, step: usize,
): void {
  const filterBytes = (<usize> (rows * chunks)) << 7;
  for (let row = 0; row < rows; row++) {
    for (let chunk = 0; chunk < chunks; chunk++) {
      const chunkAt = weights + ((<usize> (row * chunks + chunk)) << 7);
      let start = starts;
      for (let y = 0; y < height; y++) {
        let at = dx + <usize> (y + row) * pitch + ((<usize> chunk) << 7);
        for (let x = 0; x < width; x++, at += step, start += 4) {
          let entry = entries + ((<usize> load<i32>(start)) << 3);
          const end = entries + ((<usize> load<i32>(start, 4)) << 3);
          if (entry == end) continue;
          let s0 = v128.load(at); let s1 = v128.load(at, 16);
          let s2 = v128.load(at, 32); let s3 = v128.load(at, 48);
          let s4 = v128.load(at, 64); let s5 = v128.load(at, 80);
          let s6 = v128.load(at, 96); let s7 = v128.load(at, 112);
          do {
            const w = chunkAt + <usize> load<i32>(entry) * filterBytes;
            const g = v128.load32_splat(entry, 4);
            s0 = madd(g, v128.load(w), s0); s1 = madd(g, v128.load(w, 16), s1);
            s2 = madd(g, v128.load(w, 32), s2); s3 = madd(g, v128.load(w, 48), s3);
            s4 = madd(g, v128.load(w, 64), s4); s5 = madd(g, v128.load(w, 80), s5);
            s6 = madd(g, v128.load(w, 96), s6); s7 = madd(g, v128.load(w, 112), s7);
            entry += 8;
          } while (entry < end);
          v128.store(at, s0); v128.store(at, s1, 16);
          v128.store(at, s2, 32); v128.store(at, s3, 48);
          v128.store(at, s4, 64); v128.store(at, s5, 80);
          v128.store(at, s6, 96); v128.store(at, s7, 112);
        }
      }
    }
  }
}
