/** One plane of an exam: its image, slider, play button and what is read off it. */
import { drawSlice, signed, strongestOf } from "./heat_map.js";
import { decidersOf, drawMarks, namesOf } from "./marks.js";
import { Overlay } from "./overlay.js";
import { drawCursor, listenToStage, pixelAt, pixelWords } from "./stage.js";
import { windowOf, WINDOWS, windowWords } from "./window.js";
import { Zoom } from "./zoom.js";

/** Slices a second while a plane plays. */
const SLICES_A_SECOND = 8;

/** How far brightness and contrast go with a key, of the whole range of values. */
const KEY_STEP = 0.05;

/** How much a key or a button zooms. */
const ZOOM_STEP = 1.25;

/** How far a key or a button moves the image, of the stage. */
const MOVE_STEP = 0.1;

/** Where to that is. */
const MOVES = {
  left: [MOVE_STEP, 0],
  right: [-MOVE_STEP, 0],
  up: [0, MOVE_STEP],
  down: [0, -MOVE_STEP],
};

/** A panel of the page. */
export class PlanePanel {
  /** The panel's element. */
  element;
  #plane;
  #settings;
  #volume;
  /** Stops using the volume on show, loaded or not. */
  #leave = () => {};
  #reading;
  /** Which model read it. */
  #whose = "";
  #strongest = 0;
  #slice = 0;
  /** The slice to begin with, from 0; the middle one if there is none. */
  #wanted;
  /** The values that are black and white, once somebody has changed them. */
  #window;
  /** Which window is shown until then; it stays from exam to exam. */
  #windowName = "full";
  #zoom = new Zoom();
  #overlay;
  #cursor;
  #image;
  #playing;
  /** Whether the slider loses the focus only until it can be moved again. */
  #refocus = false;

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
    this.#find(".tools").setAttribute("aria-label", `${plane} view`);
    this.#find(".windows").setAttribute("aria-label", `${plane} window`);
    this.#find(".windows").append(
      ...Object.entries(WINDOWS).map(([name, [title]]) => new Option(title, name)),
    );
    this.#overlay = new Overlay(this.element, plane);
    this.#listen();
    this.hide();
    new ResizeObserver(() => this.#drawMarks()).observe(this.#find(".marks"));
  }

  get slider() {
    return this.#find(".slice");
  }

  /**
   * Shows a volume from its middle on, or from a slice that it has. Nothing of the exam before stays in
   * sight, whether this one comes at once, later or never.
   *
   * @param {object} volume
   * @param {number} [slice] the one to begin with, from 1
   * @returns {Promise<string | undefined>} resolves when there is something to see, with the fault
   *   if there is one
   */
  show(volume, slice) {
    this.#clear("Loading…");
    this.element.hidden = false;
    this.#volume = volume;
    this.#wanted = slice === undefined ? undefined : slice - 1;
    const { promise, resolve } = Promise.withResolvers();
    const arrived = (index) => {
      if (this.#slice === -1) this.#begin();
      if (index === this.#slice) {
        this.#draw();
        resolve();
      }
    };
    const unlisten = volume.onSlice(arrived);
    this.#leave = () => {
      unlisten();
      resolve();
    };
    if (volume.slices > 0) {
      this.#begin();
      if (volume.slice(this.#slice) !== undefined) arrived(this.#slice);
    }
    volume.whole.then(() => {
      // The window is that of all slices, which is known only now.
      if (this.#volume === volume) this.#draw();
    }, (error) => {
      if (this.#volume !== volume) return;
      resolve(error.message);
      this.#clear(error.message);
    });
    return promise;
  }

  /** Shows nothing: the exam lacks the plane. */
  hide() {
    this.#clear("");
    this.element.hidden = true;
  }

  /** Says why there is nothing to see yet while an exam is loaded. */
  expect(words) {
    this.#clear(words);
    this.element.hidden = false;
  }

  /** Brings the plane into sight, and the keys to it. */
  take() {
    this.element.scrollIntoView({ block: "nearest" });
    this.slider.focus({ preventScroll: true });
  }

  /**
   * What a model read in this exam, or nothing.
   *
   * @param {object} [reading]
   * @param {string} [whose] which model that is
   */
  explain(reading, whose = "") {
    if (this.#volume === undefined) return;
    const by = reading === undefined ? "" : whose;
    // It is on show already.
    if (reading === this.#reading && by === this.#whose) return;
    this.#reading = reading;
    this.#whose = by;
    this.#strongest = reading === undefined ? 0 : strongestOf(reading.maps);
    this.#find(".deciders").replaceChildren(
      ...namesOf(this.#shares, this.#plane, (slice) => this.go(slice)),
    );
    this.#drawMarks();
    this.#draw();
  }

  /** Whether the plane is shown large, and no other one beside it. */
  set isLarge(large) {
    this.element.classList.toggle("large", large);
    const button = this.#find(".enlarge");
    button.setAttribute("aria-pressed", String(large));
    button.textContent = large ? "All planes" : "Enlarge";
  }

  /** Draws again after the shared settings have changed. */
  refresh() {
    this.#draw();
  }

  /** How many slices there are; 0 as long as that is not known. */
  get slices() {
    return this.#volume?.slices ?? 0;
  }

  /** Which slice of which volume is on show, and where that lies, once that is known. */
  get sliceOnShow() {
    if (this.#volume === undefined || this.#slice < 0) return undefined;
    const { geometry, slices, width, height } = this.#volume;
    return { geometry, slice: this.#slice, slices, width, height };
  }

  /** Draws the lines along which other planes' slices cut the one on show. */
  drawLines(lines) {
    this.#overlay.draw(lines, this.#zoom);
  }

  /** Which slice an address names, from 1: none for the middle one, where every exam begins. */
  get addressSlice() {
    if (this.#slice === -1) return this.#wanted === undefined ? undefined : this.#wanted + 1;
    return this.#slice === middleOf(this.#volume) ? undefined : this.#slice + 1;
  }

  /** Goes to the middle slice. */
  goToMiddle() {
    if (this.#volume !== undefined) this.go(middleOf(this.#volume));
  }

  /** Goes to a slice, from 0. */
  go(slice) {
    if (this.#volume === undefined || this.#volume.slices === 0) return;
    this.#slice = Math.min(Math.max(slice, 0), this.#volume.slices - 1);
    this.#draw();
    this.#drawMarks();
    this.#tellSlice();
    this.element.dispatchEvent(new CustomEvent("leafed", { bubbles: true }));
  }

  /** Goes through the slices that decided, the one with the largest share first. */
  goToDecider() {
    const deciders = decidersOf(this.#shares);
    if (deciders.length === 0) return;
    const index = deciders.findIndex(({ slice }) => slice === this.#slice);
    this.go(deciders[(index + 1) % deciders.length].slice);
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

  /** Whether it goes through its slices by itself. */
  get isPlaying() {
    return this.#playing !== undefined;
  }

  /** A key that is meant for this plane; says whether it means something here. */
  key(event) {
    const { key, shiftKey, target } = event;
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const range = this.#volume === undefined ? 0 : this.#volume.largest - this.#volume.least;
    const actions = {
      " ": () => this.play(),
      d: () => this.#goAloud(() => this.goToDecider()),
      r: () => this.#reset(),
      w: () => this.#nextWindow(),
      e: () => this.#askToEnlarge(),
      "+": () => this.#zoomAloud(ZOOM_STEP),
      "=": () => this.#zoomAloud(ZOOM_STEP),
      "-": () => this.#zoomAloud(1 / ZOOM_STEP),
      0: () => this.#zoomAloud(0),
      j: () => this.#move("left"),
      l: () => this.#move("right"),
      i: () => this.#move("up"),
      k: () => this.#move("down"),
      b: () => this.#changeWindow(-KEY_STEP * range, 0),
      v: () => this.#changeWindow(KEY_STEP * range, 0),
      c: () => this.#changeWindow(0, -KEY_STEP * range),
      x: () => this.#changeWindow(0, KEY_STEP * range),
    };
    const isSlider = target.matches("[type=range]");
    if (shiftKey && key in steps && (!isSlider || target === this.slider)) {
      actions[key.toLowerCase()] = () => this.#moveCursor(...steps[key]);
    } else if (!shiftKey && !isSlider) {
      // A slider goes by itself.
      const goTo = (slice) => () => this.#goAloud(() => this.go(slice));
      actions.arrowleft = goTo(this.#slice - 1);
      actions.arrowright = goTo(this.#slice + 1);
      actions.home = goTo(0);
      actions.end = goTo(Infinity);
    }
    const action = actions[key.toLowerCase()];
    action?.();
    return action !== undefined;
  }

  /** What each slice adds to the logit, once that is known. */
  get #shares() {
    return this.#reading?.shares ?? [];
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
    const buttons = {
      ".play": () => this.play(),
      ".zoom-in": () => this.#zoomAloud(ZOOM_STEP),
      ".zoom-out": () => this.#zoomAloud(1 / ZOOM_STEP),
      ".reset": () => this.#reset(),
      ".enlarge": () => this.#askToEnlarge(),
      ...Object.fromEntries(
        Object.keys(MOVES).map((side) => [`.move.${side}`, () => this.#move(side)]),
      ),
    };
    for (const [selector, action] of Object.entries(buttons)) {
      this.#find(selector).addEventListener("click", action);
    }
    this.#find(".windows").addEventListener("input", ({ target }) => this.#useWindow(target.value));
    listenToStage(stage, {
      leaf: (slices) => {
        this.stop();
        this.go(this.#slice + slices);
      },
      grab: () => this.slider.focus({ preventScroll: true }),
      point: (event) => this.#pointAt(event),
      drag: (right, down) => {
        if (this.#volume === undefined) return;
        const step = (this.#volume.largest - this.#volume.least) / stage.clientWidth;
        this.#changeWindow(down * step, -right * step);
      },
      move: (right, down) => this.#changeZoom((zoom) => zoom.move(right, down)),
      zoom: (factor, around) => this.#changeZoom((zoom) => zoom.by(factor, around)),
      isZoomed: () => this.#zoom.scale > 1,
      leave: () => {
        this.#cursor = undefined;
        this.#showPixel();
      },
      enlarge: () => this.#askToEnlarge(),
    });
  }

  /** Clears everything about an exam from the panel, and says why there is nothing. */
  #clear(words) {
    this.stop();
    this.#leave();
    this.#volume = undefined;
    this.#reading = undefined;
    this.#whose = "";
    this.#window = undefined;
    this.#find(".windows").value = this.#windowName;
    this.#changeZoom((zoom) => zoom.reset());
    this.#cursor = undefined;
    this.#slice = -1;
    this.#wanted = undefined;
    const canvas = this.#find(".stage canvas");
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    canvas.setAttribute("aria-label", `${this.#plane}, no slice`);
    this.#refocus ||= document.activeElement === this.slider;
    this.slider.disabled = this.#find(".play").disabled = true;
    this.slider.value = 0;
    this.slider.setAttribute("aria-valuetext", "no slice");
    for (const name of [".at", ".pixel", ".window", ".whose"]) this.#find(name).textContent = "";
    this.#find(".deciders").replaceChildren();
    this.#drawMarks();
    this.#overlay.draw([], this.#zoom);
    this.#overlay.show(undefined, this.#zoom);
    this.#tellSlice();
    this.#wait(words);
  }

  #begin() {
    const { slices, height, width } = this.#volume;
    this.#slice = this.#wanted < slices ? this.#wanted : middleOf(this.#volume);
    this.slider.max = slices - 1;
    this.slider.disabled = this.#find(".play").disabled = false;
    // Unless somebody has gone elsewhere in the meantime.
    const left = document.activeElement === document.body;
    if (this.#refocus && left) this.slider.focus({ preventScroll: true });
    this.#refocus = false;
    const canvas = this.#find(".stage canvas");
    Object.assign(canvas, { width, height });
    this.#image = canvas.getContext("2d").createImageData(width, height);
    this.#drawMarks();
    this.#overlay.show(this.#volume, this.#zoom);
    this.#tellSlice();
  }

  /** The other planes have a line for it. */
  #tellSlice() {
    this.element.dispatchEvent(new CustomEvent("sliced"));
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
    const share = this.#shares[this.#slice];
    const shown = share === undefined || share === 0 ? "" : `, adds ${signed(share)} to the logit`;
    this.slider.setAttribute("aria-valuetext", `slice ${words}${shown}`);
    const map = this.#settings.mapOn ? this.#whose : "";
    this.#find(".whose").textContent = map;
    this.#find(".stage canvas").setAttribute(
      "aria-label",
      [`${this.#plane}, slice ${words}`, map].filter(Boolean).join(", "),
    );
    this.#find(".at").textContent = share ? `Slice ${words} · ${signed(share)}` : `Slice ${words}`;
    const voxels = volume.slice(this.#slice);
    this.#wait(voxels === undefined ? "Loading…" : "");
    const context = this.#find(".stage canvas").getContext("2d");
    if (voxels === undefined) {
      context.clearRect(0, 0, volume.width, volume.height);
      this.#showPixel();
      return;
    }
    const { mapOn, opacity, colors } = this.#settings;
    const { maps, mapHeight, mapWidth, mapStride, mapStart } = this.#reading ?? {};
    const heat = !mapOn || maps === undefined ? undefined : {
      map: maps[this.#slice],
      mapHeight,
      mapWidth,
      mapStride,
      mapStart,
      strongest: this.#strongest,
      opacity,
      colors,
    };
    const window = this.#windowNow();
    drawSlice(this.#image, voxels, window, heat);
    context.putImageData(this.#image, 0, 0);
    if (this.#cursor?.drawn) drawCursor(context, this.#cursor);
    this.#find(".window").textContent = windowWords(window);
    this.#showPixel();
  }

  #drawMarks() {
    drawMarks(this.#find(".marks"), {
      slices: this.#volume?.slices ?? 0,
      slice: this.#slice,
      shares: this.#shares,
    });
  }

  #windowNow() {
    return this.#window ?? windowOf(this.#windowName, this.#volume);
  }

  #changeWindow(level, width) {
    if (this.#volume === undefined || this.#volume.slices === 0) return;
    const { black, white } = this.#windowNow();
    const middle = (black + white) / 2 + level;
    const least = (this.#volume.largest - this.#volume.least) / 256 || 1;
    const half = Math.max(white - black + width, least) / 2;
    this.#window = { black: middle - half, white: middle + half };
    this.#find(".windows").value = "own";
    this.#draw();
  }

  #useWindow(name) {
    this.#window = undefined;
    this.#windowName = name;
    this.#find(".windows").value = name;
    this.#draw();
  }

  #nextWindow() {
    const names = Object.keys(WINDOWS);
    const next = this.#window === undefined ? names.indexOf(this.#windowName) + 1 : 0;
    this.#useWindow(names[next % names.length]);
    this.#say(`${this.#plane}, ${WINDOWS[this.#windowName][0]}`);
  }

  /** The window and the image as they were at first. */
  #reset() {
    this.#useWindow("full");
    this.#changeZoom((zoom) => zoom.reset());
    this.#say(`${this.#plane}, full range, whole image`);
  }

  /** Changes how much is seen of the image, and shows it. */
  #changeZoom(change) {
    change(this.#zoom);
    const { scale, transform, words } = this.#zoom;
    this.#find(".stage canvas").style.transform = transform;
    this.#find(".stage").classList.toggle("zoomed", scale > 1);
    this.#find(".moves").hidden = scale === 1;
    this.#find(".zoom").textContent = words;
    this.#overlay.zoom(this.#zoom);
  }

  /** Zooms by a factor, with 0 to the whole image, and says how large that is. */
  #zoomAloud(factor) {
    if (this.slices === 0) return;
    this.#changeZoom((zoom) => zoom.by(factor));
    this.#forgetPointer();
    this.#say(`${this.#plane}, zoom ${this.#zoom.words}`);
  }

  #move(side) {
    this.#changeZoom((zoom) => zoom.move(...MOVES[side]));
    this.#forgetPointer();
  }

  /** The image has moved below the pointer: what that points at is known when it moves. */
  #forgetPointer() {
    if (this.#cursor?.drawn) return;
    this.#cursor = undefined;
    this.#showPixel();
  }

  #askToEnlarge() {
    this.element.dispatchEvent(new CustomEvent("enlarge", { bubbles: true }));
  }

  #pointAt(event) {
    if (this.#volume === undefined || this.#volume.slices === 0) return;
    const pixel = pixelAt(this.#find(".stage canvas"), this.#volume, event);
    this.#cursor = pixel && { ...pixel, drawn: false };
    this.#showPixel();
  }

  /** Goes to a slice, and announces it if the slider, which would announce it, is not in use. */
  #goAloud(go) {
    this.stop();
    go();
    if (document.activeElement === this.slider || this.#slice < 0) return;
    this.#say(`${this.#plane}, ${this.slider.getAttribute("aria-valuetext")}`);
  }

  #say(words) {
    this.element.dispatchEvent(new CustomEvent("said", { bubbles: true, detail: words }));
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
    this.#say(this.#find(".pixel").textContent);
  }

  #showPixel() {
    const voxels = this.#volume?.slice(this.#slice);
    const pixel = this.#find(".pixel");
    if (this.#cursor === undefined || voxels === undefined) {
      pixel.textContent = "";
      return;
    }
    pixel.textContent = pixelWords(voxels, this.#volume.width, this.#cursor);
  }

  #showPlaying() {
    const button = this.#find(".play");
    button.setAttribute("aria-pressed", String(this.#playing !== undefined));
    button.textContent = this.#playing === undefined ? "Play" : "Stop";
  }
}

/** The slice that a volume is shown from, from 0. */
function middleOf({ slices }) {
  return (slices - 1) >> 1;
}
