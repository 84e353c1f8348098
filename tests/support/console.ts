/**
 * The command line within the test's own process: quicker than {@linkcode runCli}, for what needs
 * neither permissions nor a folder.
 */
import { main } from "../../lib/commands/main.ts";
import type { Outcome } from "./cli.ts";

/** Runs the command line, and catches what it writes and how it would exit. */
export async function runMain(args: readonly string[]): Promise<Outcome> {
  const written = { out: "", err: "" };
  const streams = [[Deno.stdout, "out"], [Deno.stderr, "err"]] as const;
  const before = streams.map(([stream]) => stream.writeSync);
  for (const [stream, name] of streams) {
    const decoder = new TextDecoder();
    stream.writeSync = (bytes) => {
      written[name] += decoder.decode(bytes, { stream: true });
      return bytes.length;
    };
  }
  try {
    return { code: await main(args), ...written };
  } finally {
    streams.forEach(([stream], index) => stream.writeSync = before[index]);
  }
}
