/**
 * How far the ways to compute on WebGPU are from PyTorch's numbers: the direct sum, Winograd's algorithm,
 * and activations stored in half precision.
 *
 * ```sh
 * deno run -A bench/precision.ts
 * ```
 *
 * Logits are compared relatively, gradients by the L2 norm of the difference of each tensor relative to
 * the tensor's, of which the worst is shown: of those up to the last maximum, and of those behind it.
 */
import { currentGpu, startEngine } from "../lib/engine/engine.ts";
import { MRNet } from "../lib/model/mrnet.ts";
import type { NetworkOptions } from "../lib/model/webgpu/network_passes.ts";
import { WebGPUNetwork } from "../lib/model/webgpu_network.ts";
import { evaluateExam } from "../lib/train/exam_result.ts";
import {
  compareTensors,
  goldenState,
  gradientOf,
  type MakeNetwork,
  NETWORK_CASES,
  worstNumber,
} from "../tests/support/network_golden.ts";
import { seededExam } from "../tests/support/seeded.ts";

const WAYS: Record<string, NetworkOptions> = {
  direct: { winograd: false },
  winograd: { winograd: true },
  "direct, half": { winograd: false, precision: "half" },
};

/** The tensors whose gradient no maximum decides about. */
const BEHIND = ["pretrained_model.features.10.bias", "classifer.weight", "classifer.bias"];

await startEngine("webgpu");
const gpu = currentGpu()!;
for (const reference of NETWORK_CASES.filter(({ name }) => name !== "7x224x240")) {
  const exam = seededExam(reference.seed, reference);
  for (const [way, options] of Object.entries(WAYS)) {
    // Shared tiles compile fastest, and the sums are the same.
    const make: MakeNetwork = (model, adam) =>
      WebGPUNetwork.create(gpu, model, { tiles: "shared", ...adam, ...options });
    const model = new MRNet(goldenState());
    const network = await make(model);
    const { logits } = await evaluateExam(network, { exam, label: 0 }, [1, 1]);
    network.dispose();
    model.dispose();
    const gradient = await gradientOf({ exam, label: 1 }, make);
    const off = compareTensors(gradient, reference.gradient_present);
    const worst = (behind: boolean) =>
      Math.max(
        ...[...off].filter(([name]) => BEHIND.includes(name) === behind).map(([, each]) => each),
      );
    const errors = [worstNumber(logits, reference.logits), worst(false), worst(true)];
    const words = errors.map((error) => error.toExponential(1)).join("  ");
    print(`${reference.name.padEnd(10)}  ${way.padEnd(12)}  logits, gradients, behind: ${words}`);
  }
}
Deno.exit(0);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
