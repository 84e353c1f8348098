// @ts-self-types="./codec_worker.d.ts"

/**
 * Decodes one compressed frame after the other, in a worker: the bytes come from anywhere, and a
 * decoder that does not end can then be ended. Imported twice: as a module for its function, and as
 * text for the worker, which needs no permission that way.
 */

/** Silent, for what a decoder says of damaged bytes is not for the terminal; one object for each. */
const quiet = () => ({ print() {}, printErr() {} });

/** The decoders that Emscripten made, each made when it is first needed. */
const emscripten = {
  "jpeg": async () => {
    const { default: make } = await import(
      "npm:@cornerstonejs/codec-libjpeg-turbo-8bit@1.2.8/decode"
    );
    return (await make(quiet())).JPEGDecoder;
  },
  "jpeg-ls": async () => {
    const { default: make } = await import("npm:@cornerstonejs/codec-charls@1.2.7/decode");
    return (await make(quiet())).JpegLSDecoder;
  },
  "jpeg-2000": async () => {
    const { default: make } = await import("npm:@cornerstonejs/codec-openjpeg@1.3.6/decode");
    return (await make(quiet())).J2KDecoder;
  },
};

const made = new Map();

/** Loads a decoder, which takes as long for every frame. */
async function load(coding) {
  if (!made.has(coding)) made.set(coding, await (emscripten[coding] ?? lossless)());
}

async function decodeFrame(coding, bytes) {
  await load(coding);
  const Decoder = made.get(coding);
  try {
    return coding === "jpeg-lossless" ? decodeLossless(Decoder, bytes) : decodeWith(Decoder, bytes);
  } catch (error) {
    // One that has failed once may fail on the next frame too.
    made.delete(coding);
    throw typeof error === "number" ? new Error("the decoder gave up") : error;
  }
}

async function lossless() {
  const { default: { lossless } } = await import("npm:jpeg-lossless-decoder-js@2.0.7");
  return lossless.Decoder;
}

function decodeWith(Decoder, bytes) {
  const decoder = new Decoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo();
    // Some give nothing instead of failing.
    if (width === 0 || height === 0) throw new Error("the decoder gave up");
    return {
      bytes: decoder.getDecodedBuffer().slice(),
      columns: width,
      rows: height,
      bits: bitsPerSample,
      samples: componentCount,
    };
  } finally {
    decoder.delete();
  }
}

function decodeLossless(Decoder, bytes) {
  const decoder = new Decoder();
  const pixels = decoder.decode(bytes.buffer, bytes.byteOffset, bytes.length);
  const { dimX, dimY, precision, numComp } = decoder.frame;
  return {
    bytes: new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength).slice(),
    columns: dimX,
    rows: dimY,
    bits: precision,
    samples: numComp,
  };
}

/** What a decoder may take besides its frame, and for each pixel of it, in bytes. */
const MAX_MEMORY = 64 * 2 ** 20;
const MAX_PIXEL_MEMORY = 16;

let maxMemory = Infinity;

/**
 * Lets no decoder take more than `maxMemory`: a stream of a few bytes can ask for 2 GB. The decoders are
 * plain JavaScript, and ask for a longer buffer when they need more.
 */
function limitMemory() {
  globalThis.ArrayBuffer = class extends ArrayBuffer {
    constructor(length, options) {
      if (length > maxMemory) throw new RangeError("the decoder needs too much memory");
      super(length, options);
    }
  };
}

if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) {
  limitMemory();
  self.onmessage = async ({ data: { id, coding, bytes, pixels } }) => {
    maxMemory = MAX_MEMORY + MAX_PIXEL_MEMORY * pixels;
    try {
      await load(coding);
      self.postMessage({ id, loaded: true });
      const frame = await decodeFrame(coding, bytes);
      self.postMessage({ id, frame }, [frame.bytes.buffer]);
    } catch (error) {
      self.postMessage({ id, failure: String(error?.message ?? error) });
    }
  };
}

export { decodeFrame };
