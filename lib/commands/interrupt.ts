/** Ctrl-C and a request to terminate, as an `AbortSignal`. */

/** A signal that fires on Ctrl-C; disposing of it gives Ctrl-C its usual meaning back. */
export interface Interrupt extends Disposable {
  signal: AbortSignal;
}

/**
 * Listens for SIGINT and SIGTERM. The first one fires the signal; after it they have their usual
 * meaning again, so that a second Ctrl-C ends the process at once.
 *
 * @param onInterrupt called on the first one
 */
export function interruptible(onInterrupt: () => void): Interrupt {
  const controller = new AbortController();
  // Windows knows no SIGTERM.
  const names: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const stop = () => {
    for (const name of names) Deno.removeSignalListener(name, fire);
  };
  const fire = () => {
    stop();
    onInterrupt();
    controller.abort();
  };
  for (const name of names) Deno.addSignalListener(name, fire);
  return { signal: controller.signal, [Symbol.dispose]: stop };
}
