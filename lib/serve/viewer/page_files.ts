/** The files of the viewer's page, which are part of the module, and what a browser may do with them. */
import planeName from "../../data/plane_name.js" with { type: "text" };
import address from "./page/address.js" with { type: "text" };
import answer from "./page/answer.js" with { type: "text" };
import api from "./page/api.js" with { type: "text" };
import pageColors from "./page/colors.js" with { type: "text" };
import dropped from "./page/dropped.js" with { type: "text" };
import examList from "./page/exam_list.js" with { type: "text" };
import examRow from "./page/exam_row.js" with { type: "text" };
import files from "./page/files.js" with { type: "text" };
import geometry from "./page/geometry.js" with { type: "text" };
import heatMap from "./page/heat_map.js" with { type: "text" };
import listChoices from "./page/list_choices.js" with { type: "text" };
import listTable from "./page/list_table.js" with { type: "text" };
import style from "./page/page.css" with { type: "text" };
import marks from "./page/marks.js" with { type: "text" };
import overlay from "./page/overlay.js" with { type: "text" };
import page from "./page/page.html" with { type: "text" };
import script from "./page/page.js" with { type: "text" };
import planePanel from "./page/plane_panel.js" with { type: "text" };
import reader from "./page/reader.js" with { type: "text" };
import referenceLines from "./page/reference_lines.js" with { type: "text" };
import remarks from "./page/remarks.js" with { type: "text" };
import setup from "./page/setup.js" with { type: "text" };
import stage from "./page/stage.js" with { type: "text" };
import studyFiles from "./page/study_files.js" with { type: "text" };
import titles from "./page/titles.js" with { type: "text" };
import use from "./page/use.js" with { type: "text" };
import verdict from "./page/verdict.js" with { type: "text" };
import virtualRows from "./page/virtual_rows.js" with { type: "text" };
import volume from "./page/volume.js" with { type: "text" };
import watch from "./page/watch.js" with { type: "text" };
import pageWindow from "./page/window.js" with { type: "text" };
import words from "./page/words.js" with { type: "text" };
import zoom from "./page/zoom.js" with { type: "text" };

/** How the page looks. */
export const STYLE = style;

/** Only what this service itself serves, and nothing that was written into the page's text. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

/** The page's modules, by name. */
export const SCRIPTS = {
  address,
  answer,
  api,
  colors: pageColors,
  dropped,
  exam_list: examList,
  exam_row: examRow,
  files,
  geometry,
  heat_map: heatMap,
  list_choices: listChoices,
  list_table: listTable,
  marks,
  overlay,
  page: script,
  plane_name: planeName,
  plane_panel: planePanel,
  reader,
  reference_lines: referenceLines,
  remarks,
  setup,
  stage,
  study_files: studyFiles,
  titles,
  use,
  verdict,
  virtual_rows: virtualRows,
  volume,
  watch,
  window: pageWindow,
  words,
  zoom,
};

/**
 * The page, which has the browser fetch its modules at once, and not one after the other names it: first those
 * that ask for the exams.
 */
export const PAGE = page.replace(
  /(?= *<script )/,
  [...new Set(["api", "setup", ...Object.keys(SCRIPTS)])]
    .map((name) => `    <link rel="modulepreload" href="viewer/${name}.js">\n`).join(""),
);
