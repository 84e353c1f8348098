/**
 * The same kernels on another WebGPU: what leans on how Deno, its compiler or its driver happen to do
 * things shows here.
 */
import assert from "node:assert/strict";
import { inChromium } from "../support/chromium.ts";
import { openWebGPUPage } from "../support/chromium_webgpu.ts";
import { NETWORK_CASES } from "../support/network_golden.ts";
import { assertWithinBounds } from "../support/tolerances.ts";

inChromium("Chromium's WebGPU gives PyTorch's numbers", async (browser) => {
  await using page = await openWebGPUPage(browser);
  const { device, differences } = await page.compare(NETWORK_CASES[0].name, { tiles: "registers" });
  assert.match(device, /swiftshader/);
  assertWithinBounds(NETWORK_CASES[0], differences);
});
