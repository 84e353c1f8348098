/**
 * A small typeface for captions: letters on a grid of 5 × 9 points, drawn as smooth strokes between
 * neighbouring points at any size.
 */

/** Points between two letters. */
const BETWEEN = 1.4;
/** Points that a space is wide. */
const SPACE = 2;

/** Half a stroke's width, in points. */
const STROKE = 0.56;

/**
 * Each letter's rows from the top; a row is the binary number of its five points, written as a digit
 * of base 32. The eighth and ninth row lie below the line.
 */
const LETTERS: Readonly<Record<string, string>> = {
  ...{ "0": "EHHHHHE", "1": "4C4444E", "2": "EH1248V", "3": "EH161HE", "4": "26AIV22" },
  ...{ "5": "VGU11HE", "6": "68GUHHE", "7": "V124888", "8": "EHHEHHE", "9": "EHHF12C" },
  ...{ A: "4AHHVHH", B: "UHHUHHU", C: "EHGGGHE", D: "UHHHHHU", E: "VGGUGGV", F: "VGGUGGG" },
  ...{ G: "EHGNHHF", H: "HHHVHHH", I: "E44444E", J: "72222IC", K: "HIKOKIH", L: "GGGGGGV" },
  ...{ M: "HRLLHHH", N: "HHPLJHH", O: "EHHHHHE", P: "UHHUGGG", Q: "EHHHLID", R: "UHHUKIH" },
  ...{ S: "FGGE11U", T: "V444444", U: "HHHHHHE", V: "HHHHHA4", W: "HHHLLLA", X: "HHA4AHH" },
  ...{ Y: "HHHA444", Z: "V1248GV" },
  ...{ a: "00E1FHF", b: "GGMPHHU", c: "00EGGHE", d: "11DJHHF", e: "00EHVGE", f: "698S888" },
  ...{ g: "00FHHHF1E", h: "GGMPHHH", i: "40C444E", j: "2062222IC", k: "GGIKOKI", l: "C44444E" },
  ...{ m: "00QLLLL", n: "00MPHHH", o: "00EHHHE", p: "00UHHHUGG", q: "00FHHHF11", r: "00MPGGG" },
  ...{ s: "00FGE1U", t: "88S8896", u: "00HHHJD", v: "00HHHA4", w: "00HHLLA", x: "00HA4AH" },
  ...{ y: "00HHHHF1E", z: "00V248V" },
  ...{ " ": "", "+": "044V44", "−": "000V", "-": "000E", ".": "0000004", ",": "000000448" },
  ...{ ":": "0040004", "=": "00V0V", "/": "11248GG", _: "0000000V", "(": "2488842" },
  ...{ ")": "8422248", "%": "OP248J3", "·": "0004", "×": "00HA4AH", "…": "000000L" },
};

/** Drawn for a letter that the typeface does not have. */
const UNKNOWN = "VHHHHHV";

/** The stroke from one point to another, `[x₀, y₀, x₁, y₁]`; a dot goes from a point to itself. */
type Stroke = readonly [number, number, number, number];

/** A letter ready to be drawn. */
interface Glyph {
  /** Width in points, from the first point that is set to the last; the same for all digits. */
  width: number;
  strokes: readonly Stroke[];
}

const known = new Map<string, Glyph>();

/**
 * How much of each pixel a text covers.
 *
 * @param size pixels in a point of the grid, above 0
 * @param cover called with a pixel's position, from the text's top left corner, and its share in 0–1;
 *   may be called several times for a pixel
 */
export function drawText(
  text: string,
  size: number,
  cover: (x: number, y: number, share: number) => void,
): void {
  let pen = 0;
  for (const letter of text) {
    const { width, strokes } = _glyphOf(letter);
    for (const [x0, y0, x1, y1] of strokes) {
      const [left, right] = [x0, x1].map((x) => (pen + x + 0.5) * size);
      const [top, bottom] = [y0, y1].map((y) => (y + 0.5) * size);
      _drawStroke([left, top, right, bottom], STROKE * size, cover);
    }
    pen += width + BETWEEN;
  }
}

/** Width of a text in pixels. */
export function textWidth(text: string, size: number): number {
  const widths = [...text].map((letter) => _glyphOf(letter).width + BETWEEN);
  return Math.max(0, widths.reduce((sum, width) => sum + width, -BETWEEN)) * size;
}

function _drawStroke(
  [x0, y0, x1, y1]: Stroke,
  radius: number,
  cover: (x: number, y: number, share: number) => void,
): void {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const squared = dx * dx + dy * dy;
  const reach = radius + 1;
  for (let y = Math.floor(Math.min(y0, y1) - reach); y <= Math.max(y0, y1) + reach; y++) {
    for (let x = Math.floor(Math.min(x0, x1) - reach); x <= Math.max(x0, x1) + reach; x++) {
      const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
      const along = squared === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / squared));
      const distance = Math.hypot(px - along * dx, py - along * dy);
      const share = Math.min(1, radius + 0.5 - distance);
      if (share > 0) cover(x, y, share);
    }
  }
}

/** Neighbouring points are joined; diagonally only where no corner joins them already. */
function _glyphOf(letter: string): Glyph {
  const before = known.get(letter);
  if (before !== undefined) return before;
  const rows = [...LETTERS[letter] ?? UNKNOWN].map((digit) => parseInt(digit, 32));
  const isSet = (x: number, y: number) => x >= 0 && x < 5 && ((rows[y] ?? 0) >> (4 - x) & 1) === 1;
  const set = rows.flatMap((_, y) => [0, 1, 2, 3, 4].filter((x) => isSet(x, y)).map((x) => [x, y]));
  const columns = /\d/.test(letter) ? [0, 4] : set.map(([x]) => x);
  const left = Math.min(...columns);
  const strokes = set.flatMap(([x, y]): Stroke[] => {
    const ends = [[x, y]];
    if (isSet(x + 1, y)) ends.push([x + 1, y]);
    if (isSet(x, y + 1)) ends.push([x, y + 1]);
    for (const side of [-1, 1]) {
      const corner = isSet(x + side, y) || isSet(x, y + 1);
      if (isSet(x + side, y + 1) && !corner) ends.push([x + side, y + 1]);
    }
    return ends.map(([toX, toY]) => [x - left, y, toX - left, toY]);
  });
  const width = set.length === 0 ? SPACE : Math.max(...columns) - left + 1;
  known.set(letter, { width, strokes });
  return { width, strokes };
}
