/**
 * Zod, imported here and nowhere else. It is loaded with whatever first checks a file or a request by a
 * schema, never by `mod.ts` itself.
 */
export * as z from "npm:zod@4.6.7";
