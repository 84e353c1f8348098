/** Where a service has its models from, when it loads them, and what it says if it cannot. */
import assert from "node:assert/strict";
import { WeightsError } from "../../lib/errors.ts";
import { convertWeights } from "../../lib/model/convert.ts";
import { createHandler, type Handler } from "../../lib/serve/handler.ts";
import type { ServeOptions } from "../../lib/serve/options.ts";
import { HealthAnswer, PredictAnswer } from "../../lib/serve/schemas.ts";
import { examBytes, TemporaryFolder } from "../support/folders.ts";
import { writeModel } from "../support/served_models.ts";
import { OUTLIVING, post, problem, withHandler } from "../support/served.ts";

Deno.test(
  "models come from a path, a URL or bytes, with what their files do not say",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    await writeModel(folder.at("told.safetensors"), 1);
    await writeModel(folder.at("untold.safetensors"), 2, {});
    const bytes = await Deno.readFile(folder.at("told.safetensors"));
    const server = Deno.serve(
      { port: 0, onListen() {} },
      (request) =>
        request.url.endsWith("/told.safetensors")
          ? new Response(bytes)
          : new Response(null, { status: 404 }),
    );
    const address = `http://127.0.0.1:${server.addr.port}`;
    const handler = createHandler({
      engine: "wasm",
      models: [
        folder.at("told.safetensors"),
        { source: new URL(`file://${folder.at("told.safetensors")}`), name: "file" },
        { source: `${address}/told.safetensors`, name: "web" },
        { source: bytes, name: "bytes" },
        { source: folder.at("untold.safetensors"), task: "meniscus", plane: "axial" },
      ],
    });
    await handler.ready();
    const { models } = await (await handler(new Request("http://localhost/v1/models"))).json();
    const names = models.map(({ model }: { model: string }) => model);
    assert.deepEqual(names, ["told", "file", "web", "bytes", "untold"]);
    assert.equal(
      new Set(models.slice(0, 4).map((each: { sha256: string }) => each.sha256)).size,
      1,
    );
    assert.deepEqual([models[4].task, models[4].planes], ["meniscus", ["axial"]]);
    const missing = createHandler({ engine: "wasm", models: [`${address}/none.safetensors`] });
    await assert.rejects(missing.ready(), (error) => {
      assert.ok(error instanceof WeightsError);
      return /^Cannot fetch the model 'http.*': the answer was 404: /.test(error.message);
    });
    await server.shutdown();
  },
);

Deno.test(
  "nothing is loaded before the first request, unless that is asked for",
  OUTLIVING,
  async () => {
    const health = async (handler: Handler) =>
      HealthAnswer.parse(await (await handler(new Request("http://localhost/healthz"))).json());
    await withHandler({}, async (handler) => {
      assert.deepEqual(await health(handler), { status: "ok", models: "not loaded", waiting: 0 });
      await handler(new Request("http://localhost/v1/models"));
      assert.equal((await health(handler)).models, "loaded");
    });
    await withHandler({ warm: true }, async (handler) => {
      await handler.ready();
      assert.equal((await health(handler)).models, "loaded");
    });
  },
);

Deno.test(
  "a model that cannot be loaded is 503 to the client and told to the service",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    const path = folder.at("late.safetensors");
    const errors: unknown[] = [];
    const handler = createHandler({
      models: [path],
      engine: "wasm",
      onError: (error) => errors.push(error),
    });
    const response = await post(handler, examBytes() as BodyInit);
    await problem(response, 503, /^The models cannot be loaded: see the service's own messages$/);
    assert.match(
      `${errors[0]}`,
      /WeightsError: Cannot read the model '.*late\.safetensors': there is no/,
    );
    await writeModel(path, 1);
    assert.equal(
      (await post(handler, examBytes() as BodyInit)).status,
      200,
      "the next one tries again",
    );
    await problem(await post(createHandler(), examBytes() as BodyInit), 503, /has no model/);
  },
);

Deno.test(
  "a file of PyTorch is served with the intensity that it is told, and one alone",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    const [own, torch] = [folder.at("own.safetensors"), folder.at("torch.pth")];
    await writeModel(own, 1);
    await convertWeights(own, torch);
    const told = { source: torch, task: "acl", plane: "sagittal" } as const;
    const ask = async (...models: NonNullable<ServeOptions["models"]>) => {
      const response = await post(
        createHandler({ models, engine: "wasm" }),
        examBytes() as BodyInit,
      );
      return PredictAnswer.parse(await response.json()).predictions[0].probability;
    };
    const raw = await ask(own);
    assert.equal(await ask(told), raw);
    assert.notEqual(await ask({ ...told, intensity: "standardized" }), raw);
    const refuses = (models: ServeOptions["models"], message: string) =>
      assert.rejects(createHandler({ models, engine: "wasm" }).ready(), {
        name: "OptionError",
        message,
      });
    await refuses(
      [{ source: own, intensity: "standardized" }],
      `Cannot use the model '${own}' with intensity standardized: by its file it is raw: leave the ` +
        "intensity out",
    );
    await refuses(
      [told, { ...told, name: "other", intensity: "standardized" }],
      `Cannot serve the model '${torch}' with intensity standardized: it is served with raw too: ` +
        "give it one intensity",
    );
  },
);
