/** What the page must know before it can show anything: asked for while the page's other modules are loaded. */
import { ask } from "./api.js";

/** The service's answer. */
export const setup = ask("viewer/setup").then((response) => response.json());
// The page says what went wrong, once it is there.
setup.catch(() => {});
