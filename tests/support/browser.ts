/**
 * A page as Chromium shows it: what is inaccessible, what it fetched, what lies over what.
 */
import { inaccessible, launchChromium } from "./chromium.ts";

/** How a page is looked at. */
export interface View {
  colors: "light" | "dark";
  /** Of the window, in pixels. */
  width: number;
}

/** What is found in a page. */
export interface Findings {
  /** What axe-core objects to: the rule and the element, a line each. */
  violations: string[];
  /** What the page asked for beside itself. */
  requests: string[];
  /** What the browser complained about. */
  messages: string[];
  /** How wide the page is, in pixels. */
  pageWidth: number;
  /** Texts of plots that lie over each other. */
  overlaps: string[];
}

/** A running browser. */
export interface Browser extends AsyncDisposable {
  /** Opens a file of this machine and looks at it. */
  inspect(path: string, view: View): Promise<Findings>;
}

/** Starts the browser. */
export async function openBrowser(): Promise<Browser> {
  const browser = await launchChromium();
  return {
    async inspect(path, { colors, width }) {
      // The page forbids scripts; axe-core, which is one, comes in past that.
      const page = await browser.newPage({
        bypassCSP: true,
        colorScheme: colors,
        viewport: { width, height: 900 },
      });
      const requests: string[] = [];
      const messages: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("console", (message) => messages.push(message.text()));
      page.on("pageerror", (error) => messages.push(error.message));
      await page.goto(`file://${path}`);
      const { pageWidth, overlaps } = await page.evaluate(LOOK) as Findings;
      const violations = await inaccessible(page);
      await page.close();
      return {
        violations,
        requests: requests.filter((url) => url !== `file://${path}`),
        messages,
        pageWidth,
        overlaps,
      };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
    },
  };
}

/** Runs in the page: its width, and the texts of each plot that lie over each other. */
const LOOK = `(() => {
  const overlaps = [];
  for (const plot of document.querySelectorAll("svg[role=img]")) {
    const texts = [...plot.querySelectorAll("text")];
    const boxes = texts.map((text) => text.getBoundingClientRect());
    texts.forEach((text, i) => texts.slice(0, i).forEach((other, j) => {
      const [a, b] = [boxes[i], boxes[j]];
      const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top + 1 ||
        b.bottom <= a.top + 1;
      if (!apart) overlaps.push(text.textContent + " over " + other.textContent);
    }));
    const frame = plot.getBoundingClientRect();
    texts.forEach((text, i) => {
      if (boxes[i].left < frame.left - 1 || boxes[i].right > frame.right + 1) {
        overlaps.push(text.textContent + " over the edge");
      }
    });
  }
  return { pageWidth: document.documentElement.scrollWidth, overlaps };
})()`;
