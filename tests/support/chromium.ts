/**
 * A headless Chromium for tests of pages, and what it takes to run a test in it.
 */
import axe from "npm:axe-core@4.14.1";
import { type Browser, chromium, type Page } from "npm:playwright-core@1.65.1";

export type { Browser, Page };

const CHROMIUM = "/usr/bin/chromium";

/** Set where the absence of Chromium must fail instead of skip. */
const DEMANDED = Deno.env.get("MRNET_REQUIRE_CHROMIUM") === "1";

const found = await Deno.stat(CHROMIUM).then(() => true, () => false);

/** Whether a test that needs Chromium is left out. */
export const WITHOUT_CHROMIUM = !found && !DEMANDED;

/** What is added to the name of such a test. */
export const WHY_LEFT_OUT = WITHOUT_CHROMIUM
  ? " (skipped: this machine has no /usr/bin/chromium)"
  : "";

/** Starts the browser. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...["--no-sandbox", "--disable-gpu"],
      // For pages that ask for it: WebGPU on the driver that Chromium brings along.
      ...["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
    ],
  });
}

/** A test in a browser of its own; skipped with a reason where there is none. */
export function inChromium(name: string, body: (browser: Browser) => Promise<void>): void {
  Deno.test({
    name: name + WHY_LEFT_OUT,
    ignore: WITHOUT_CHROMIUM,
    // The engine outlives the test on purpose.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await using browser = await launchChromium();
      await body(browser);
    },
  });
}

/** What axe-core objects to in a page: the rule and the element, a line each. */
export async function inaccessible(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run()") as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`)
  );
}
