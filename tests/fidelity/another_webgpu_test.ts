/**
 * The same kernels on another WebGPU: what leans on how Deno, its compiler or its driver happen to do
 * things shows here.
 */
import assert from "node:assert/strict";
import { inChromium } from "../support/chromium.ts";
import { openWebGPUPage } from "../support/chromium_webgpu.ts";
import { assertWithinBounds } from "../support/tolerances.ts";

inChromium("Chromium's WebGPU gives PyTorch's numbers", async (browser) => {
  await using page = await openWebGPUPage(browser);
  const { device, differences } = await page.compare("2x64x64", { tiles: "registers" });
  assert.match(device, /swiftshader/);
  assertWithinBounds("2x64x64", differences);
});
