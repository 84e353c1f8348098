/** Weights in the order in which the products read them. */
import { flushOne, LEAST_FACTOR, PANEL } from "./vector";

/** Filters `[channels][length]` to panels `[channels / 8][length][8]`; of the channels of one panel. */
export function packPanel(weights: usize, out: usize, length: i32): void {
  const step = (<usize> length) << 2;
  for (let k = 0; k < length; k++, weights += 4) {
    let from = weights;
    for (let lane = 0; lane < PANEL; lane++, from += step, out += 4) {
      store<f32>(out, load<f32>(from));
    }
  }
}

/**
 * A panel of a filter whose three input channels see the same: their sum. `[3][8 channels][rows][12]`
 * to `[rows][12][8]`, with a zero where a run's twelfth float is beyond the filter.
 *
 * @param stride bytes from an input channel to the next
 */
export function packSummedPanel(
  weights: usize, stride: usize, out: usize, rows: i32, taps: i32,
): void {
  const filterBytes = <usize> (12 * 12 * 4);
  for (let row = 0; row < rows; row++) {
    for (let tap = 0; tap < 12; tap++) {
      let from = weights + <usize> ((row * 12 + tap) * 4);
      for (let lane = 0; lane < PANEL; lane++, from += filterBytes, out += 4) {
        const sum = load<f32>(from) + load<f32>(from + stride) + load<f32>(from + 2 * stride);
        store<f32>(out, tap < taps ? flushOne(LEAST_FACTOR, sum) : 0);
      }
    }
  }
}

/**
 * One panel of the filters of a convolution's input gradient, which is a convolution itself: rotated by
 * 180°, input and output channels exchanged. `[outputs / 8][taps][inputs][8]` to `[taps][outputs][8]`.
 *
 * @param weights the first of the eight input channels, in panels of output channels
 */
export function packTurnedPanel(
  weights: usize, out: usize, taps: i32, inputs: i32, outputs: i32,
): void {
  const panelBytes = (<usize> (taps * inputs)) << 5;
  for (let tap = taps - 1; tap >= 0; tap--) {
    const from = weights + ((<usize> (tap * inputs)) << 5);
    for (let output = 0; output < outputs; output++) {
      let at = from + <usize> (output >> 3) * panelBytes + <usize> ((output & 7) << 2);
      for (let lane = 0; lane < PANEL; lane++, at += 32, out += 4) {
        store<f32>(out, load<f32>(at));
      }
    }
  }
}

/**
 * One tap of eight input channels of a convolution's filters, for its input gradient: input and output
 * channels exchanged, and multiplied by what a batch normalisation multiplies its output channel by.
 *
 * @param weights the tap's first of the eight input channels, in panels of output channels as
 *   {@link packTurnedPanel} reads them
 * @param panelBytes from a panel to the next
 * @param gamma `[outputs]`, or 0 if there is no batch normalisation
 * @param deviation `[outputs]`, or 0
 * @param out `[outputs][8]`
 */
export function packInputTap(
  weights: usize, panelBytes: usize, gamma: usize, deviation: usize, out: usize, outputs: i32,
): void {
  for (let output = 0; output < outputs; output++) {
    const channel = (<usize> output) << 2;
    const scale: f32 = gamma ? load<f32>(gamma + channel) / load<f32>(deviation + channel) : 1;
    let at = weights + <usize> (output >> 3) * panelBytes + <usize> ((output & 7) << 2);
    for (let lane = 0; lane < PANEL; lane++, at += 32, out += 4) {
      store<f32>(out, flushOne(LEAST_FACTOR, load<f32>(at) * scale));
    }
  }
}
