/**
 * Lets signals, timers and finished file reads have their turn. WebAssembly computes on the main
 * thread, so without this a Ctrl-C would wait for the end of the epoch.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
