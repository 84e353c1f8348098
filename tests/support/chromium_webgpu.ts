/**
 * The toolkit's own modules in a page of Chromium. Its WebGPU is another one than Deno's: another
 * implementation (Dawn for wgpu), another compiler of WGSL (Tint for Naga), another driver (SwiftShader
 * for llvmpipe).
 */
import { stripTypeScriptTypes } from "node:module";
import tfjs from "npm:@tensorflow/tfjs@4.22.0/dist/tf.fesm.min.js" with { type: "text" };
import webgpu from "npm:@tensorflow/tfjs-backend-webgpu@4.22.0/dist/tf-backend-webgpu.fesm.min.js" with {
  type: "text",
};
import mersenne from "npm:pure-rand@8.4.2/generator/mersenne" with { type: "text" };
import type { NetworkOptions } from "../../lib/model/webgpu/network_passes.ts";
import type { Browser, Page } from "./chromium.ts";
import type { Differences } from "./network_golden.ts";

/** What is imported by name, as a page can have it; what files and processes need is not called there. */
const PACKAGES: Record<string, string> = {
  "npm:@tensorflow/tfjs@4.22.0": tfjs,
  "@tensorflow/tfjs-core": `export * from "npm:@tensorflow/tfjs@4.22.0";`,
  "npm:@tensorflow/tfjs-backend-webgpu@4.22.0": webgpu,
  "npm:@tensorflow/tfjs-backend-wasm@4.22.0/wasm-out/tfjs-backend-wasm.js": "export default null;",
  "npm:pure-rand@8.4.2/generator/mersenne": mersenne,
  "npm:csv-parse@7.0.3/sync": "export const parse = null; export class CsvError {}",
  "node:crypto": "export const createHash = null;",
};

const imports = Object.fromEntries(
  Object.keys(PACKAGES).map((name) => [name, `/package/${encodeURIComponent(name)}`]),
);

const PAGE = `<!doctype html><title>WebGPU</title>
<script type="importmap">${JSON.stringify({ imports })}</script>`;

const ROOT = new URL("../../", import.meta.url);

/** A file of the project, TypeScript without its types. */
async function served(path: string): Promise<Response> {
  const asText = path.endsWith("?text");
  const url = new URL(`.${asText ? path.slice(0, -5) : path}`, ROOT);
  const text = await Deno.readTextFile(url).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (text === undefined) return new Response(null, { status: 404 });
  if (path.endsWith(".json")) return new Response(text, headersOf("application/json"));
  if (asText) return script(`export default ${JSON.stringify(text)};`);
  const code = path.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
  // A page cannot import a text as such, nor run a module later than it is loaded.
  return script(
    code.replaceAll(/(\.js)" with \{ type: "text" \}/g, `$1?text"`)
      .replaceAll("import.defer(", "import(").replaceAll("import defer *", "import *"),
  );
}

const headersOf = (type: string) => ({ headers: { "content-type": type } });
const script = (code: string) => new Response(code, headersOf("text/javascript"));

/** A page that can import the toolkit's modules by their paths in the project. */
export interface WebGPUPage extends AsyncDisposable {
  /**
   * Computes a case of tests/golden/network.json, a gradient and a step, on the page's WebGPU.
   *
   * @returns the adapter's name, and how far the case is from PyTorch
   */
  compare(
    name: string,
    options: NetworkOptions,
  ): Promise<{ device: string; differences: Differences }>;
}

/** Opens such a page. */
export async function openWebGPUPage(browser: Browser): Promise<WebGPUPage> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/") return new Response(PAGE, headersOf("text/html"));
    const name = /^\/package\/(.+)$/.exec(pathname)?.[1];
    return name === undefined
      ? await served(pathname + search)
      : script(PACKAGES[decodeURIComponent(name)]);
  });
  const page: Page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.addr.port}/`);
  return {
    compare: (name, options) =>
      page.evaluate(async ({ module, name, options }) => {
        const { compareOnWebGPU } = await import(module);
        return await compareOnWebGPU(name, options);
      }, { module: "/tests/support/webgpu_case.ts", name, options: { ...options } }),
    async [Symbol.asyncDispose]() {
      await page.close();
      await server.shutdown();
    },
  };
}
