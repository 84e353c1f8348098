/** How a report looks: light and dark, on a screen of any width and on paper. */

/** The style sheet. Text has a contrast of at least 4.5 : 1, what is drawn at least 3 : 1. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --muted: #57606a; --line: #d5d9df;
  --first: #0b5fad; --first-soft: #cfe1f3; --second: #a8480f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --ink: #e6e8eb; --muted: #a4adb8; --line: #353b42;
    --first: #6db3f2; --first-soft: #23405c; --second: #f0a35e;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 74rem; padding: 2rem clamp(1rem, 4vw, 3rem) 3rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
}
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 2.75rem 0 0.75rem; font-size: 1.2rem; line-height: 1.3; }
h3 { margin: 0 0 0.5rem; font-size: 1rem; }
p { margin: 0.5rem 0; max-width: 44rem; }
.kicker { margin: 0 0 0.25rem; color: var(--muted); font-size: 0.875rem; }
.headline {
  display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.75rem;
  margin: 1.25rem 0 0.25rem; max-width: none;
}
.headline strong { font-size: 2.5rem; line-height: 1.1; font-weight: 600; }
.headline, .number, td, svg text { font-variant-numeric: tabular-nums; }
figcaption, .remark { font-size: 0.875rem; }
.note, .remark, caption, figcaption, footer { color: var(--muted); }
.note { border-left: 3px solid var(--line); padding-left: 0.75rem; }
code { font: 0.875em ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
.side-by-side { display: grid; gap: 2rem 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); align-items: start; }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; }
caption { padding: 0 0 0.375rem; text-align: left; font-size: 0.875rem; }
th, td { padding: 0.375rem 1rem 0.375rem 0; text-align: left; vertical-align: baseline; border-top: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
thead th { border-top: 0; vertical-align: bottom; font-size: 0.875rem; }
tbody th { font-weight: 400; }
td { overflow-wrap: anywhere; }
th.number, td.number { text-align: right; }
td.number { white-space: nowrap; }
.below { display: block; color: var(--muted); font-size: 0.8125rem; }
.confusion + .confusion { margin-top: 1.5rem; }
.narrow { max-width: 46rem; }
.exams td, .bins th[scope=row] { white-space: nowrap; }
.plots { display: grid; gap: 1.5rem 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); }
figure { margin: 0; }
figure h3 { margin: 0 0 0.5rem; }
figcaption { margin-top: 0.25rem; }
figure svg { display: block; width: 100%; max-width: 30rem; height: auto; }
svg text { font-size: 12.5px; fill: var(--muted); }
svg text.name, svg text.panel { fill: var(--ink); }
.grid { stroke: var(--line); stroke-width: 1; fill: none; }
.chance { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 3 4; fill: none; }
.band { fill: var(--first-soft); }
.curve { stroke: var(--first); stroke-width: 2; stroke-linejoin: round; fill: none; }
.other { stroke: var(--second); stroke-width: 1.5; stroke-dasharray: 7 4; fill: none; }
.box { fill: var(--paper); stroke: var(--line); stroke-width: 1.5; }
.box.own { fill: var(--first-soft); stroke: var(--first); }
.box.known { stroke: var(--second); stroke-width: 3; }
.arrow { stroke: var(--muted); stroke-width: 1.5; fill: none; }
.whisker { stroke: var(--first); stroke-width: 1; fill: none; }
.point { fill: var(--first); }
.mark { fill: var(--paper); stroke: var(--ink); stroke-width: 2; }
.halo { stroke: var(--paper); stroke-width: 4; fill: none; }
.threshold { stroke: var(--ink); stroke-width: 1.5; fill: none; }
.bar { fill: var(--second); }
.bar.class-0 { fill: var(--first); }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin: 0 0 1rem; padding: 0; list-style: none; font-size: 0.9375rem; }
.legend li { display: flex; align-items: center; gap: 0.5rem; }
.key { width: 44px; height: 16px; flex: none; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 0.875rem; }
@media (max-width: 30rem) {
  table { font-size: 0.875rem; }
  th, td { padding-right: 0.5rem; }
}
@media print {
  :root {
    --paper: #ffffff; --ink: #000000; --muted: #444b53; --line: #b8bec6;
    --first: #0b5fad; --first-soft: #cfe1f3; --second: #a8480f;
  }
  @page { margin: 16mm; }
  html { font-size: 13px; }
  body { max-width: none; padding: 0; }
  figure, .confusion, tr { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
  .plots, .side-by-side { grid-template-columns: repeat(2, 1fr); gap: 1.5rem 2rem; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
