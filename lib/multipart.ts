/**
 * Forms (RFC 7578), and what DICOMweb sends (multipart/related, RFC 2387): their parts are found while
 * the body comes in. So a body of a million parts is refused at the first part that is too many, and
 * nothing of a part is copied.
 */

/** A part of a body. */
export interface BodyPart {
  /** What it is called; parts of forms have a name. */
  name: string | undefined;
  /** Its file's name; none if it is text. */
  filename: string | undefined;
  /** Its media type, without parameters; none if it does not say. */
  type: string | undefined;
  /** Its content, a view of the body. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** What is wrong with a body of several parts. */
export type MultipartFault =
  | "too many parts"
  | "no end"
  | "a part without a name"
  | "an encoded part";

/** How much of a body is taken. */
export interface MultipartLimits {
  /** The most parts. */
  parts: number;
  /**
   * Whether every part must have a name.
   * @default true
   */
  named?: boolean;
  /** The error that says what is wrong. */
  refuse: (fault: MultipartFault) => Error;
}

/** The most bytes of a part's headers. */
const MAX_HEADER_BYTES = 8192;

const [CR, LF, DASH] = [13, 10, 45];

/** Finds the parts of a body as it grows. */
export class MultipartReader {
  readonly #delimiter: Uint8Array;
  readonly #limits: MultipartLimits;
  /** Where the lines with the boundary begin and end, the first included. */
  readonly #lines: { begin: number; end: number; last: boolean }[] = [];
  /** Up to where the body was looked at. */
  #at = 0;
  #begun = false;

  /** @param boundary what separates the parts, as the body's type has it */
  constructor(boundary: string, limits: MultipartLimits) {
    this.#delimiter = new TextEncoder().encode(`\r\n--${boundary}`);
    this.#limits = limits;
  }

  /**
   * Looks at what has come since the last call.
   *
   * @param body all of the body that is there
   * @throws what the limits make of too many parts
   */
  scan(body: Uint8Array): void {
    const delimiter = this.#delimiter;
    if (!this.#begun) {
      // The first line has nothing in front of it.
      const first = delimiter.subarray(2);
      if (body.length < first.length) return;
      const line = _isAt(body, 0, first) ? _lineEnd(body, first.length) : null;
      if (line === undefined) return;
      this.#begun = true;
      if (line !== null) this.#add(0, line);
    }
    while (true) {
      const begin = body.indexOf(CR, this.#at);
      if (begin < 0) return void (this.#at = body.length);
      // A delimiter that is not whole yet is looked at again.
      if (begin + delimiter.length + 2 > body.length) return void (this.#at = begin);
      if (!_isAt(body, begin, delimiter)) {
        this.#at = begin + 1;
        continue;
      }
      const line = _lineEnd(body, begin + delimiter.length);
      if (line === undefined) return void (this.#at = begin);
      if (line === null) this.#at = begin + 1;
      else this.#add(begin, line);
    }
  }

  /**
   * The parts of a body that is whole.
   *
   * @throws what the limits make of a missing end, a part without a name, or an encoded one
   */
  parts(body: Uint8Array<ArrayBuffer>): BodyPart[] {
    if (this.#lines.at(-1)?.last !== true) {
      throw this.#limits.refuse("no end");
    }
    return this.#lines.slice(0, -1).map(({ end }, index) =>
      _part(body.subarray(end, Math.max(end, this.#lines[index + 1].begin)), this.#limits)
    );
  }

  #add(begin: number, line: { end: number; last: boolean }): void {
    // What follows the last line is ignored.
    if (this.#lines.at(-1)?.last === true) return void (this.#at = begin + 1);
    this.#lines.push({ begin, ...line });
    // The line break that ends the line may begin the next one, of a part without anything.
    this.#at = line.end - (line.last ? 0 : 2);
    if (!line.last && this.#lines.length > this.#limits.parts) {
      throw this.#limits.refuse("too many parts");
    }
  }
}

/** The boundary that a body's type names; `undefined` if it names none. */
export function boundaryOf(type: string): string | undefined {
  const [, quoted, plain] =
    /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))(?=\s*(?:;|$))/i.exec(type) ?? [];
  return quoted ?? plain;
}

function _isAt(body: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (body[at + i] !== wanted[i]) return false;
  return true;
}

/**
 * Where the line of a boundary ends.
 *
 * @returns `undefined` if more must come to tell, `null` if it is no such line
 */
function _lineEnd(body: Uint8Array, at: number): { end: number; last: boolean } | null | undefined {
  if (at + 2 > body.length) return undefined;
  if (body[at] === DASH && body[at + 1] === DASH) return { end: at + 2, last: true };
  let end = at;
  // Blanks may stand there, a few.
  while (end < at + 64 && (body[end] === 32 || body[end] === 9)) end++;
  if (end + 2 > body.length) return undefined;
  return body[end] === CR && body[end + 1] === LF ? { end: end + 2, last: false } : null;
}

/** A part from its headers, an empty line, and its content. */
function _part(
  bytes: Uint8Array<ArrayBuffer>,
  { named = true, refuse }: MultipartLimits,
): BodyPart {
  const head = bytes.subarray(0, MAX_HEADER_BYTES);
  let end = -1;
  for (let at = head.indexOf(CR); at >= 0 && end < 0; at = head.indexOf(CR, at + 1)) {
    const isEmptyLine = head[at + 1] === LF && head[at + 2] === CR && head[at + 3] === LF;
    if (isEmptyLine) end = at;
  }
  const headers = end < 0 ? "" : new TextDecoder().decode(head.subarray(0, end));
  const disposition = /^content-disposition:\s*(?:form-data|attachment)\s*;(.*)$/im.exec(headers)
    ?.[1] ?? "";
  const name = _parameter(disposition, "name");
  if (named && name === undefined) {
    throw refuse("a part without a name");
  }
  const encoding = /^content-transfer-encoding:\s*(\S+)/im.exec(headers)?.[1].toLowerCase();
  if (encoding !== undefined && !["binary", "8bit", "7bit"].includes(encoding)) {
    throw refuse("an encoded part");
  }
  const type = /^content-type:\s*([^\s;]+)/im.exec(headers)?.[1].toLowerCase();
  const filename = _parameter(disposition, "filename");
  return { name, filename, type, bytes: bytes.subarray(end + 4) };
}

/** A parameter of a header; browsers write a quote in it as `%22`, others as `\"`. */
function _parameter(header: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|;)\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`, "i").exec(
    header,
  );
  return found === null ? undefined : (found[1]?.replace(/\\(.)/g, "$1") ?? found[2]);
}
