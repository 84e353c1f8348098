import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { markup, NumberCell, page, table } from "../../lib/page/html.ts";

Deno.test("what is put into a template cannot become markup", () => {
  const evil = `<script>alert("x")</script>&'`;
  assert.equal(
    markup`<p title="${evil}">${evil}</p>`.text,
    `<p title="&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;">` +
      `&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;</p>`,
  );
  fc.assert(fc.property(fc.string(), (text) => !/[<>"']/.test(markup`${text}`.text)));
});

Deno.test("markup, lists and numbers are put in as they are, nothing as nothing", () => {
  const list = [1, markup`<b>two</b>`, [undefined, "3"], false as const];
  assert.equal(markup`${list}${undefined}.`.text, "1<b>two</b>3.");
});

Deno.test("a table has a caption, and heads for its columns and rows", () => {
  const made = table({
    caption: "Counts",
    className: "narrow",
    head: ["What", new NumberCell("How many")],
    rows: [["exams", new NumberCell(3)]],
  });
  assert.equal(
    made.text,
    `<table class="narrow">
<caption>Counts</caption>
<thead><tr><th scope="col">What</th><th scope="col" class="number">How many</th></tr></thead>
<tbody>
<tr><th scope="row">exams</th><td class="number">3</td></tr>
</tbody>
</table>`,
  );
});

Deno.test("a page forbids itself to fetch or run anything", () => {
  const text = page({ title: "a < b", header: "h", main: "m", footer: "f", style: "p { }" });
  assert.match(text, /^<!DOCTYPE html>\n<html lang="en">/);
  assert(text.includes("<title>a &lt; b</title>"));
  assert(text.includes(`content="default-src 'none'; style-src 'unsafe-inline'"`));
});
