/**
 * The toolkit's version, as its configuration states it; part of the program, so nothing is read.
 */
import config from "../deno.json" with { type: "json" };

/** Such as `0.1.0`. */
export const VERSION: string = config.version;
