/**
 * A data set at a glance, as a page that opens from the disk: what is odd, the counts, and a middle slice
 * of every exam, so that a wrong plane or a mirrored folder is seen.
 */
import { encodePng } from "../explain/png.ts";
import { type Markup, markup, NumberCell, page, section, table } from "../page/html.ts";
import { planeText } from "../page/format.ts";
import { STYLE } from "../page/style.ts";
import type { DataReport, MiddleSlice } from "./doctor.ts";
import { slicesText } from "../data/tally.ts";

/** The longer side of a picture, in pixels. */
const PICTURE_SIDE = 96;

const OWN_STYLE = `${STYLE}
.slices { display: grid; gap: 0.75rem; grid-template-columns: repeat(auto-fill, minmax(6rem, 1fr)); }
.slices img { display: block; width: 100%; image-rendering: pixelated; background: #000; }
.error { color: var(--second); }
`;

/** The page, as a whole file of HTML. */
export function dataPage(
  data: string,
  { labels, exams, problems }: DataReport,
  slices: readonly MiddleSlice[],
): string {
  const groups = Map.groupBy(slices, ({ split, plane }) => `${split}, ${planeText(plane)}`);
  return page({
    title: `Data set ${data}`,
    style: OWN_STYLE,
    pictures: true,
    header: markup`<p class="kicker">cli.ts doctor</p><h1>${data}</h1>`,
    main: [
      section("problems", "What is odd", _problems(problems, data)),
      section(
        "labels",
        "Labels",
        table({
          caption: "Labels of each finding",
          head: ["split", "finding", ...["exams", "with it", "share"].map(_number)],
          rows: labels.map(({ split, task, exams, positive }) => [
            ...[split, task, _number(exams), _number(positive)],
            _number((positive / exams).toFixed(2)),
          ]),
        }),
      ),
      section(
        "exams",
        "Exams",
        table({
          caption: "Exams of each plane",
          head: [
            ...["split", "plane", _number("exams"), _number("slices"), "size"],
            ...[_number("mean"), _number("deviation")],
          ],
          rows: exams.map(({ split, plane, exams, slices, sizes, mean, deviation }) => [
            ...[split, plane, _number(exams), _number(slicesText(slices))],
            ...[
              sizes.join(", "),
              new NumberCell(mean.toFixed(1)),
              new NumberCell(deviation.toFixed(1)),
            ],
          ]),
        }),
      ),
      ...[...groups].map(([name, group]) =>
        section(name.replace(/\W+/g, "-"), `Middle slices: ${name}`, _pictures(group))
      ),
    ],
    footer: markup`<p>Not a medical device.</p>`,
  });
}

function _problems(problems: DataReport["problems"], data: string): Markup {
  if (problems.length === 0) return markup`<p>Nothing.</p>`;
  return table({
    caption: "Errors fail or mislead a training; warnings should be looked at",
    head: ["", "where", "what was found"],
    rows: problems.map(({ level, where, found }) => [
      markup`<span class="${level}">${level}</span>`,
      where.startsWith(`${data}/`) ? where.slice(data.length + 1) : where,
      found,
    ]),
  });
}

const _number = (content: string | number) => new NumberCell(content);

function _pictures(slices: readonly MiddleSlice[]): Markup {
  return markup`<div class="slices">${
    slices.map((slice) =>
      markup`<figure><img alt="${slice.plane} exam ${slice.id}" loading="lazy" src="${
        _picture(slice)
      }"><figcaption>${slice.id}</figcaption></figure>`
    )
  }</div>`;
}

/** A small picture as an address that holds it. */
function _picture({ height, width, pixels }: MiddleSlice): string {
  const step = Math.max(1, Math.ceil(Math.max(height, width) / PICTURE_SIDE));
  const [rows, columns] = [Math.floor(height / step), Math.floor(width / step)];
  const data = new Uint8Array(rows * columns * 3);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const grey = _mean(pixels, { width, step, row: row * step, column: column * step });
      data.fill(grey, (row * columns + column) * 3, (row * columns + column + 1) * 3);
    }
  }
  return `data:image/png;base64,${encodePng({ width: columns, height: rows, data }).toBase64()}`;
}

function _mean(
  pixels: Uint8Array,
  { width, step, row, column }: { width: number; step: number; row: number; column: number },
): number {
  let sum = 0;
  for (let y = row; y < row + step; y++) {
    for (let x = column; x < column + step; x++) sum += pixels[y * width + x];
  }
  return Math.round(sum / step ** 2);
}
