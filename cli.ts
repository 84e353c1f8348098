/**
 * The command line of MRNet for Deno.
 *
 * ```sh
 * deno run -A cli.ts -t acl -p sagittal
 * ```
 *
 * @module
 */
import { main } from "./lib/commands/main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
