/**
 * Stands here for type checks and editors: under this name the page is served lib/data/plane_name.js.
 */
export * from "../../../data/plane_name.js";
