/**
 * Texts in DICOM's character sets, as far as it takes to copy them: whether bytes are well-formed, and how
 * many characters and which delimiters they have. The bytes themselves are copied unchanged.
 *
 * PS3.3 C.12.1.1.2 lists the character sets, PS3.5 6.1 and its annexes H to K say how they are written.
 */

/** What Specific Character Set (0008,0005) says; empty if the element is missing: ASCII. */
export type CharacterSet = string;

/** One byte a character. */
const SINGLE_BYTE = /^ISO_IR (100|101|109|110|144|127|126|138|148|203|13|166)$/;
/** Several bytes a character, without escape sequences. */
const MULTI_BYTE = { "ISO_IR 192": "utf-8", GB18030: "gb18030", GBK: "gbk" } as const;
/** With escape sequences that change the meaning of the bytes behind them. */
const WITH_ESCAPES =
  /^ISO 2022 IR (6|100|101|109|110|144|127|126|138|148|203|13|166|87|159|149|58)$/;

/** Behind the escape: for bytes below 128 and above, to sets of one byte a character and of two. */
const ESCAPE =
  /(?:(?<low>\([BJ])|(?<wideLow>\$(?:B|\(D))|(?<high>\)I|-[A-DFGHLMTb])|(?<wideHigh>\$\)[AC]))/y;

/**
 * The character set that is declared, spelt as the standard does, or `undefined` if it has none of this
 * name. Of several, which only those with escape sequences may be, the first may be empty.
 */
export function parseCharacterSet(declared: string): CharacterSet | undefined {
  const terms = declared.split("\\").map((term) => term.trim());
  const [first, ...others] = terms;
  if (others.length === 0) {
    const isKnown = first === "" || first === "ISO_IR 6" || SINGLE_BYTE.test(first) ||
      first in MULTI_BYTE || WITH_ESCAPES.test(first);
    return isKnown ? first : undefined;
  }
  // Some write the first as if it stood alone.
  const all = [first.replace(/^ISO_IR (?!192)/, "ISO 2022 IR "), ...others];
  const areKnown = all.every((term, index) =>
    WITH_ESCAPES.test(term) || index === 0 && term === ""
  );
  return areKnown ? all.join("\\") : undefined;
}

/**
 * A text with its ASCII as it is, delimiters included, and one character for each other one; `undefined`
 * if the bytes are not well-formed, or hold controls.
 */
export function outlineOf(bytes: Uint8Array, set: CharacterSet): string | undefined {
  if (set.startsWith("ISO 2022") || set.includes("\\")) return _withEscapes(bytes);
  if (set in MULTI_BYTE) {
    try {
      const decoder = new TextDecoder(MULTI_BYTE[set as keyof typeof MULTI_BYTE], {
        fatal: true,
        ignoreBOM: true,
      });
      const text = decoder.decode(bytes);
      return /\p{Cc}/u.test(text) ? undefined : [...text].map(_outline).join("");
    } catch {
      return undefined;
    }
  }
  const text = [...bytes].map((byte) => String.fromCharCode(byte)).join("");
  if (/\p{Cc}/u.test(text)) return undefined;
  if (!SINGLE_BYTE.test(set) && /[^ -~]/.test(text)) return undefined;
  // Katakana of half width, and nothing else.
  if (set === "ISO_IR 13" && /[^ -~\xa1-\xdf]/.test(text)) return undefined;
  return [...text].map(_outline).join("");
}

const _outline = (character: string) => character > "~" ? "¤" : character;

function _withEscapes(bytes: Uint8Array): string | undefined {
  const text = [...bytes].map((byte) => String.fromCharCode(byte)).join("");
  // How many bytes a character takes that begins below 128, and one that begins above.
  let [low, high] = [1, 1];
  let outline = "";
  for (let at = 0; at < text.length;) {
    if (text[at] === "\x1b") {
      ESCAPE.lastIndex = at + 1;
      const escape = ESCAPE.exec(text);
      if (escape === null) return undefined;
      const groups = escape.groups!;
      low = groups.low !== undefined ? 1 : groups.wideLow !== undefined ? 2 : low;
      high = groups.high !== undefined ? 1 : groups.wideHigh !== undefined ? 2 : high;
      at += 1 + escape[0].length;
      continue;
    }
    const isHigh = bytes[at] > 0x7f;
    const width = text[at] === " " ? 1 : isHigh ? high : low;
    const character = text.slice(at, at + width);
    const isWhole = character.length === width && !/\p{Cc}/u.test(character) &&
      (width === 1 || !character.includes(" ") && bytes[at + 1] > 0x7f === isHigh);
    if (!isWhole) return undefined;
    outline += width === 2 ? "¤" : _outline(character);
    // Behind a delimiter the first character set begins anew.
    if (width === 1 && /[\^=\\]/.test(character)) [low, high] = [1, 1];
    at += width;
  }
  return outline;
}
