/**
 * Takes the pictures of the viewer: wide and light, narrow and dark; with a NAME that one alone, wide and
 * light.
 *
 * ```sh
 * deno run -A cli.ts serve --data data/practice --models models/combined_practice_acl.json
 * deno run -A --lock=deno.dev.lock tools/viewer_pictures.ts http://127.0.0.1:8080/#valid/0131
 * ```
 *
 * The picture of an imported exam, `imported.png`:
 *
 * ```sh
 * deno run -A --lock=deno.dev.lock tools/phantom_dicom.ts 7 export
 * printf 'id,abnormal,acl,meniscus\nexport,1,1,1\n' > labels.csv
 * deno run -A cli.ts import export --out data/mine --labels labels.csv
 * deno run -A cli.ts view --data data/mine
 * deno run -A --lock=deno.dev.lock tools/viewer_pictures.ts http://127.0.0.1:8080/#valid/0001 imported
 * ```
 */
import { type Browser, launchChromium } from "../tests/support/chromium.ts";

const [address, only] = Deno.args;
if (address === undefined) throw new Error("usage: tools/viewer_pictures.ts ADDRESS [NAME]");

const browser = await launchChromium();
if (only !== undefined) {
  await take(browser, only, { colorScheme: "light", width: 1440, height: 710 });
} else {
  await take(browser, "viewer_light", { colorScheme: "light", width: 1440, height: 850 });
  await take(browser, "viewer_dark", { colorScheme: "dark", width: 1440, height: 850 });
  await take(browser, "viewer_narrow", { colorScheme: "dark", width: 400, height: 850 });
}
await browser.close();

async function take(
  browser: Browser,
  name: string,
  { colorScheme, width, height }: { colorScheme: "light" | "dark"; width: number; height: number },
): Promise<void> {
  const page = await browser.newPage({ colorScheme, viewport: { width, height } });
  await page.goto(address);
  await page.waitForSelector("body[data-shown]", { state: "attached" });
  // Until the list has been read to its end, however long that takes.
  while (/ read$/.test(await count())) await new Promise((resolve) => setTimeout(resolve, 200));
  // Each plane at a slice that speaks for the finding, where it has one.
  const deciders = page.locator(".deciders");
  for (let plane = 0; plane < await deciders.count(); plane++) {
    // Without models nothing has decided.
    if (only === undefined) await deciders.nth(plane).locator("button").first().waitFor();
    const speaking = deciders.nth(plane).locator("button.for");
    if (await speaking.count() > 0) await speaking.first().click();
  }
  await page.locator("main").focus();
  await page.evaluate("scrollTo(0, 0)");
  const path = new URL(`../docs/images/${name}.png`, import.meta.url).pathname;
  await page.screenshot({ path });
  await page.close();

  async function count(): Promise<string> {
    return (await page.locator("#count").textContent()) ?? "";
  }
}
