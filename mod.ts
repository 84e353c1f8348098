export * from "./lib/terms.ts";
