/**
 * One plane of an exam: its picture, slider, play button and what is read off it.
 *
 * @module
 */
import { drawSlice, signed, strongestOf } from "./heat_map.js";

/** Slices a second while a plane plays. */
const SLICES_A_SECOND = 8;

/** How many of the slices that decided are named. */
const MOST_NAMED = 3;

/** Pixels of the wheel's way for a slice; a notch of a mouse's wheel is some 100. */
const WHEEL_STEP = 60;

/** How far brightness and contrast go with a key, of the whole range of values. */
const KEY_STEP = 0.05;

/** A panel of the page. */
export class PlanePanel {
  /** The panel's element. */
  element;
  #plane;
  #settings;
  #volume;
  #unlisten = () => {};
  #reading;
  #strongest = 0;
  #slice = 0;
  /** The values that are black and white; those of the exam until somebody changes them. */
  #window;
  #cursor;
  #image;
  #playing;
  #wheel = 0;

  /**
   * @param {string} plane its name
   * @param {{ mapOn: boolean, opacity: number, colors: number[][] }} settings shared by all panels
   */
  constructor(plane, settings) {
    this.#plane = plane;
    this.#settings = settings;
    const template = document.querySelector("#plane");
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.setAttribute("aria-label", `${plane} plane`);
    this.element.dataset.plane = plane;
    this.#find("h3").textContent = plane;
    this.slider.setAttribute("aria-label", `${plane} slice`);
    this.#listen();
    new ResizeObserver(() => this.#drawMarks()).observe(this.#find(".marks"));
  }

  get slider() {
    return this.#find(".slice");
  }

  get plane() {
    return this.#plane;
  }

  /** Shows a volume from its middle on; the promise resolves when there is something to see. */
  show(volume) {
    this.stop();
    this.#unlisten();
    this.#volume = volume;
    this.#reading = undefined;
    this.#window = undefined;
    this.#cursor = undefined;
    this.#slice = -1;
    this.#find(".deciders").replaceChildren();
    this.#drawMarks();
    const { promise, resolve } = Promise.withResolvers();
    const arrived = (index) => {
      if (this.#slice === -1) this.#begin();
      if (index === this.#slice) {
        this.#draw();
        resolve();
      }
    };
    this.#unlisten = volume.onSlice(arrived);
    if (volume.slices > 0) {
      this.#begin();
      if (volume.slice(this.#slice) !== undefined) arrived(this.#slice);
    } else {
      this.#wait("Loading…");
    }
    volume.whole.then(() => {
      // The window is that of all slices, which is known only now.
      if (this.#volume === volume) this.#draw();
    }, (error) => {
      if (this.#volume !== volume) return;
      this.#wait(error.message);
      resolve();
    });
    return promise;
  }

  /** What a model read in this exam, or nothing. */
  explain(reading) {
    this.#reading = reading;
    this.#strongest = reading === undefined ? 0 : strongestOf(reading.maps);
    this.#nameDeciders();
    this.#drawMarks();
    this.#draw();
  }

  /** Draws anew, where the shared settings have changed. */
  refresh() {
    this.#draw();
  }

  /** Goes to a slice. */
  go(slice) {
    if (this.#volume === undefined || this.#volume.slices === 0) return;
    this.#slice = Math.min(Math.max(slice, 0), this.#volume.slices - 1);
    this.#draw();
    this.#drawMarks();
  }

  /** Goes through the slices that decided, the one with the largest share first. */
  goToDecider() {
    const deciders = this.#deciders();
    if (deciders.length === 0) return;
    const place = deciders.findIndex(({ slice }) => slice === this.#slice);
    this.go(deciders[(place + 1) % deciders.length].slice);
  }

  /** Starts or stops going through all slices. */
  play() {
    if (this.#playing !== undefined) return this.stop();
    if (this.#volume === undefined) return;
    this.#playing = setInterval(
      () => this.go((this.#slice + 1) % this.#volume.slices),
      1000 / SLICES_A_SECOND,
    );
    this.#showPlaying();
  }

  /** Stops playing. */
  stop() {
    clearInterval(this.#playing);
    this.#playing = undefined;
    this.#showPlaying();
  }

  /** A key that was pressed in this panel; says whether it means something here. */
  key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.shiftKey && event.key in steps) {
      this.#moveCursor(...steps[event.key]);
      return true;
    }
    const range = this.#volume === undefined ? 0 : this.#volume.largest - this.#volume.least;
    const actions = {
      " ": () => this.play(),
      d: () => this.goToDecider(),
      r: () => this.#resetWindow(),
      b: () => this.#changeWindow(-KEY_STEP * range, 0),
      v: () => this.#changeWindow(KEY_STEP * range, 0),
      c: () => this.#changeWindow(0, -KEY_STEP * range),
      x: () => this.#changeWindow(0, KEY_STEP * range),
    };
    const action = actions[event.key.toLowerCase()];
    action?.();
    return action !== undefined;
  }

  #find(selector) {
    return this.element.querySelector(selector);
  }

  #listen() {
    const stage = this.#find(".stage");
    this.slider.addEventListener("input", () => {
      this.stop();
      this.go(Number(this.slider.value));
    });
    this.#find(".play").addEventListener("click", () => this.play());
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.#wheel += event.deltaY;
      const slices = Math.trunc(this.#wheel / WHEEL_STEP);
      if (slices === 0) return;
      this.#wheel -= slices * WHEEL_STEP;
      this.stop();
      this.go(this.#slice + slices);
    }, { passive: false });
    let dragged;
    stage.addEventListener("pointerdown", (event) => {
      dragged = { x: event.clientX, y: event.clientY };
      stage.setPointerCapture(event.pointerId);
      this.slider.focus({ preventScroll: true });
    });
    stage.addEventListener("pointermove", (event) => {
      this.#pointAt(event);
      if (dragged === undefined || this.#volume === undefined) return;
      const range = this.#volume.largest - this.#volume.least;
      const part = range / stage.clientWidth;
      this.#changeWindow((event.clientY - dragged.y) * part, (dragged.x - event.clientX) * part);
      dragged = { x: event.clientX, y: event.clientY };
    });
    for (const end of ["pointerup", "pointercancel"]) {
      stage.addEventListener(end, () => dragged = undefined);
    }
    stage.addEventListener("pointerleave", () => {
      this.#cursor = undefined;
      this.#showPixel();
    });
    stage.addEventListener("dblclick", () => this.#resetWindow());
  }

  #begin() {
    const { slices, height, width } = this.#volume;
    this.#slice = (slices - 1) >> 1;
    this.slider.max = slices - 1;
    const canvas = this.#find(".stage canvas");
    Object.assign(canvas, { width, height });
    this.#image = canvas.getContext("2d").createImageData(width, height);
    this.#drawMarks();
  }

  #wait(words) {
    const wait = this.#find(".wait");
    wait.hidden = words === "";
    wait.textContent = words;
  }

  #draw() {
    const volume = this.#volume;
    if (volume === undefined || this.#slice < 0) return;
    const words = `${this.#slice + 1} of ${volume.slices}`;
    this.slider.value = this.#slice;
    const share = this.#reading?.shares[this.#slice];
    const shown = share === undefined || share === 0 ? "" : `, adds ${signed(share)} to the logit`;
    this.slider.setAttribute("aria-valuetext", `slice ${words}${shown}`);
    this.#find(".stage canvas").setAttribute("aria-label", `${this.#plane}, slice ${words}`);
    this.#find(".at").textContent = share ? `Slice ${words} · ${signed(share)}` : `Slice ${words}`;
    const voxels = volume.slice(this.#slice);
    this.#wait(voxels === undefined ? "Loading…" : "");
    if (voxels === undefined) return;
    const { mapOn, opacity, colors } = this.#settings;
    const { maps, mapHeight, mapWidth } = this.#reading ?? {};
    const heat = !mapOn || maps === undefined ? undefined : {
      map: maps[this.#slice],
      mapHeight,
      mapWidth,
      strongest: this.#strongest,
      opacity,
      colors,
    };
    const window = this.#windowNow();
    drawSlice(this.#image, voxels, window, heat);
    const context = this.#find(".stage canvas").getContext("2d");
    context.putImageData(this.#image, 0, 0);
    this.#drawCursor(context);
    const round = (value) => Math.round(value * 10) / 10;
    const [width, level] = [window.white - window.black, (window.white + window.black) / 2];
    this.#find(".window").textContent = `Contrast ${round(width)} · brightness ${round(level)}`;
    this.#showPixel();
  }

  /** A column for each slice that decided: above the line for the finding, below it against. */
  #drawMarks() {
    const canvas = this.#find(".marks");
    const slices = this.#volume?.slices ?? 0;
    const ratio = devicePixelRatio;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    canvas.height = Math.round(28 * ratio);
    const context = canvas.getContext("2d");
    if (slices === 0) return;
    // The thumb of a range runs from half its width to half its width before the end.
    const inset = 8 * ratio;
    const step = slices > 1 ? (canvas.width - 2 * inset) / (slices - 1) : 0;
    const middle = canvas.height / 2;
    const style = getComputedStyle(this.element);
    context.fillStyle = style.getPropertyValue("--line");
    context.fillRect(inset, middle - ratio / 2, canvas.width - 2 * inset, ratio);
    const shares = this.#reading?.shares ?? [];
    const largest = Math.max(...shares.map(Math.abs), 1e-12);
    const width = Math.max(2 * ratio, Math.min(step * 0.6, 9 * ratio));
    shares.forEach((share, slice) => {
      if (share === 0) return;
      const length = Math.max(ratio, Math.abs(share) / largest * (middle - 2 * ratio));
      context.fillStyle = style.getPropertyValue(share > 0 ? "--for" : "--against");
      const y = share > 0 ? middle - length : middle;
      context.fillRect(inset + slice * step - width / 2, y, width, length);
    });
    context.fillStyle = style.color;
    context.fillRect(
      inset + this.#slice * step - ratio,
      canvas.height - 3 * ratio,
      2 * ratio,
      3 * ratio,
    );
  }

  #deciders() {
    return (this.#reading?.shares ?? [])
      .map((share, slice) => ({ share, slice }))
      .filter(({ share }) => share !== 0)
      .sort((a, b) => Math.abs(b.share) - Math.abs(a.share))
      .slice(0, MOST_NAMED);
  }

  #nameDeciders() {
    const deciders = this.#deciders();
    const buttons = deciders.map(({ share, slice }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = share > 0 ? "for" : "against";
      button.textContent = `${slice + 1}: ${signed(share)}`;
      // What is to be seen stands first, for those who speak to their machine.
      const spoken = `${button.textContent}, go to this ${this.#plane} slice`;
      button.setAttribute("aria-label", spoken);
      button.addEventListener("click", () => this.go(slice));
      return button;
    });
    this.#find(".deciders").replaceChildren(
      ...(buttons.length > 0 ? ["Decided by", ...buttons] : []),
    );
  }

  #windowNow() {
    return this.#window ?? { black: this.#volume.least, white: this.#volume.largest };
  }

  #changeWindow(level, width) {
    if (this.#volume === undefined || this.#volume.slices === 0) return;
    const { black, white } = this.#windowNow();
    const middle = (black + white) / 2 + level;
    const least = (this.#volume.largest - this.#volume.least) / 256 || 1;
    const half = Math.max(white - black + width, least) / 2;
    this.#window = { black: middle - half, white: middle + half };
    this.#draw();
  }

  #resetWindow() {
    this.#window = undefined;
    this.#draw();
  }

  /** Which pixel the pointer is on; the picture keeps its proportions within the stage. */
  #pointAt({ clientX, clientY }) {
    if (this.#volume === undefined || this.#volume.slices === 0) return;
    const { width, height } = this.#volume;
    const box = this.#find(".stage").getBoundingClientRect();
    const scale = Math.min(box.width / width, box.height / height);
    const x = Math.floor((clientX - box.left - (box.width - width * scale) / 2) / scale);
    const y = Math.floor((clientY - box.top - (box.height - height * scale) / 2) / scale);
    const inside = x >= 0 && y >= 0 && x < width && y < height;
    this.#cursor = inside ? { x, y, drawn: false } : undefined;
    this.#showPixel();
  }

  #moveCursor(right, down) {
    if (this.#volume === undefined || this.#volume.slices === 0) return;
    const { width, height } = this.#volume;
    const { x, y } = this.#cursor ?? { x: width >> 1, y: height >> 1 };
    this.#cursor = {
      x: Math.min(Math.max(x + right, 0), width - 1),
      y: Math.min(Math.max(y + down, 0), height - 1),
      drawn: true,
    };
    this.#draw();
    this.element.dispatchEvent(
      new CustomEvent("said", { bubbles: true, detail: this.#find(".pixel").textContent }),
    );
  }

  #drawCursor(context) {
    if (!this.#cursor?.drawn) return;
    const { x, y } = this.#cursor;
    context.strokeStyle = "#ffe14d";
    context.lineWidth = 1;
    context.strokeRect(x - 2.5, y - 2.5, 6, 6);
  }

  #showPixel() {
    const voxels = this.#volume?.slice(this.#slice);
    const pixel = this.#find(".pixel");
    if (this.#cursor === undefined || voxels === undefined) {
      pixel.textContent = "";
      return;
    }
    const { x, y } = this.#cursor;
    const value = voxels[y * this.#volume.width + x];
    const shown = Number.isInteger(value) ? value : value.toPrecision(5);
    pixel.textContent = `Value ${shown} at column ${x}, row ${y}`;
  }

  #showPlaying() {
    const button = this.#find(".play");
    button.setAttribute("aria-pressed", String(this.#playing !== undefined));
    button.textContent = this.#playing === undefined ? "Play" : "Stop";
  }
}
