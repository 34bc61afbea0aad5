// The canvas: camera, cached bitmaps, pointer and keyboard.
//
// Three bitmaps hold what was painted: the whole scene as first seen (`overview`), what is visible with a margin (`crisp`), and
// what is highlighted (`accent`). Panning copies bitmaps; a new crisp one is painted in slices between frames.
(() => {
  "use strict";
  const lineal = (globalThis.lineal ||= {});
  const graph = (lineal.graph ||= {});

  const SLICE = 6; // milliseconds of painting in one frame
  const MARGIN = 0.25; // of the visible size, painted around it
  const MOST_SCALE = 2.5;
  const WITH_OVERVIEW = 400; // boxes, from which a picture of all of them is kept
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  class Bitmap {
    constructor() {
      this.canvas = document.createElement("canvas");
      this.ready = false;
    }
    // Gets ready to be painted for this camera.
    open(width, height, ratio, camera, background) {
      if (this.canvas.width !== width * ratio || this.canvas.height !== height * ratio) {
        this.canvas.width = width * ratio;
        this.canvas.height = height * ratio;
      }
      Object.assign(this, { width, height, camera: { ...camera } });
      const ctx = this.canvas.getContext("2d", { alpha: !background });
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      ctx.globalAlpha = 1;
      if (background) { ctx.fillStyle = background; ctx.fillRect(0, 0, width, height); }
      else ctx.clearRect(0, 0, width, height);
      ctx.setTransform(ratio * camera.scale, 0, 0, ratio * camera.scale, ratio * camera.x, ratio * camera.y);
      return ctx;
    }
    get view() {
      const { scale, x, y } = this.camera;
      return { left: -x / scale, top: -y / scale, right: (this.width - x) / scale, bottom: (this.height - y) / scale };
    }
    // Draws it where it belongs under another camera.
    show(ctx, camera) {
      const by = camera.scale / this.camera.scale;
      ctx.drawImage(this.canvas, camera.x - this.camera.x * by, camera.y - this.camera.y * by, this.width * by, this.height * by);
    }
    covers(view) {
      const own = this.view;
      return own.left <= view.left + 0.01 && own.top <= view.top + 0.01 && own.right >= view.right - 0.01 && own.bottom >= view.bottom - 0.01;
    }
  }

  class View {
    constructor(canvas, callbacks) {
      Object.assign(this, { canvas, callbacks, scene: null, hovered: -1, chosen: -1, marked: null });
      this.camera = { scale: 1, x: 0, y: 0 };
      this.crisp = new Bitmap();
      this.next = new Bitmap();
      this.accent = new Bitmap();
      this.nextAccent = new Bitmap();
      this.overview = null;
      this.jobs = new Map();
      // By the panel: from the top right corner, or along the lower edge.
      this.covered = { width: 0, height: 0, below: 0 };
      this.resize();
      new ResizeObserver(() => this.resize()).observe(canvas);
      this.listen();
    }

    resize() {
      const { clientWidth: width, clientHeight: height } = this.canvas;
      const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
      if (!width || (width === this.width && height === this.height && ratio === this.ratio)) return;
      const first = !this.width;
      Object.assign(this, { width, height, ratio });
      this.canvas.width = width * ratio;
      this.canvas.height = height * ratio;
      // What was shown as a whole stays so.
      if (this.scene && (first || this.fitted)) this.fit(false);
      this.changed();
    }

    // ---- scene and camera --------------------------------------------------------------------------------------

    show(args, fit = true) {
      Object.assign(this, args);
      this.hovered = -1;
      this.forget();
      if (fit) this.fit(false);
      this.changed();
    }

    // The same scene in other colours.
    repaint(look) {
      this.look = look;
      this.forget();
      this.changed();
    }

    forget() {
      if (this.crisp === this.overview) this.crisp = new Bitmap();
      this.overview = null;
      this.crisp.ready = this.accent.ready = false;
      this.jobs.clear();
    }

    // The largest part of the window that nothing lies over, for a scene of these proportions: left of the panel, or below it.
    free() {
      const { bounds } = this.scene;
      const pad = 24;
      const { width: over, height: deep, below } = this.covered;
      const whole = { left: pad, top: pad + 8, right: pad, bottom: pad + below };
      const places = over ? [{ ...whole, right: over + 2 * pad }, { ...whole, top: deep + pad }] : [whole];
      const rated = places.map((place) => {
        const width = Math.max(50, this.width - place.left - place.right);
        const height = Math.max(50, this.height - place.top - place.bottom);
        return { ...place, width, height, scale: Math.min(1.1, width / bounds.width, height / bounds.height) };
      });
      return rated.reduce((best, next) => (next.scale > best.scale + 0.001 ? next : best));
    }

    fit(animated = true) {
      if (!this.scene || !this.width) return;
      const { bounds } = this.scene;
      const { scale, left, top, width, height } = this.free();
      const x = left + (width - bounds.width * scale) / 2 - bounds.left * scale;
      const y = top + (height - bounds.height * scale) / 2 - bounds.top * scale;
      this.move({ scale, x, y }, animated);
      this.fitted = true;
    }

    center(box, animated = true, least = 0.8) {
      const { scene } = this;
      const scale = Math.max(this.camera.scale, least);
      const over = this.covered.width ? this.covered.width + 24 : 0;
      const x = (this.width - over) / 2 - (scene.x[box] + scene.w[box] / 2) * scale;
      const y = (this.height - this.covered.below) / 2 - (scene.y[box] + scene.h[box] / 2) * scale;
      this.move({ scale, x, y }, animated);
    }

    // Brings a box into sight, and no further.
    reveal(box) {
      const { scene, camera } = this;
      const left = scene.x[box] * camera.scale + camera.x;
      const top = scene.y[box] * camera.scale + camera.y;
      const right = left + scene.w[box] * camera.scale;
      const bottom = top + scene.h[box] * camera.scale;
      const readable = camera.scale >= 0.35;
      if (!readable || left < 20 || top < 20 || right > this.width - 20 || bottom > this.height - 20) this.center(box, true, 0.6);
    }

    move(camera, animated) {
      this.fitted = false;
      if (!animated || still.matches) { this.camera = camera; this.flight = null; this.changed(); return; }
      this.flight = { from: { ...this.camera }, to: camera, start: performance.now() };
      this.changed();
    }

    fly(now) {
      if (!this.flight) return;
      const t = Math.min(1, (now - this.flight.start) / 260);
      const ease = 1 - (1 - t) ** 3;
      const { from, to } = this.flight;
      const scale = from.scale * (to.scale / from.scale) ** ease;
      // The middle of the window moves along a straight line of the scene.
      const middle = (camera) => [(this.width / 2 - camera.x) / camera.scale, (this.height / 2 - camera.y) / camera.scale];
      const [[x0, y0], [x1, y1]] = [middle(from), middle(to)];
      this.camera = { scale, x: this.width / 2 - (x0 + (x1 - x0) * ease) * scale, y: this.height / 2 - (y0 + (y1 - y0) * ease) * scale };
      if (t === 1) { this.camera = to; this.flight = null; }
      else this.changed();
    }

    zoom(by, x = this.width / 2, y = this.height / 2) {
      const least = Math.min(0.5, this.free().scale / 2);
      const scale = Math.min(MOST_SCALE, Math.max(least, this.camera.scale * by));
      const real = scale / this.camera.scale;
      this.flight = null;
      this.fitted = false;
      this.camera = { scale, x: x - (x - this.camera.x) * real, y: y - (y - this.camera.y) * real };
      this.changed();
    }

    pan(x, y) {
      this.flight = null;
      this.fitted = false;
      this.camera = { ...this.camera, x: this.camera.x + x, y: this.camera.y + y };
      this.changed();
    }

    seesAll() {
      const [seen, all] = [this.visible, this.scene.bounds];
      return seen.left <= all.left && seen.top <= all.top && seen.right >= all.right && seen.bottom >= all.bottom;
    }

    get visible() {
      const { scale, x, y } = this.camera;
      return { left: -x / scale, top: -y / scale, right: (this.width - x) / scale, bottom: (this.height - y) / scale };
    }

    // ---- highlight ---------------------------------------------------------------------------------------------

    choose(box) {
      this.chosen = box;
      this.mark();
    }

    hover(box) {
      if (box === this.hovered) return;
      this.hovered = box;
      this.mark();
      this.callbacks.hover(box);
    }

    // What is upstream and downstream of the chosen box in all depths, else what is next to the hovered one.
    mark() {
      const from = this.chosen >= 0 ? this.chosen : this.hovered;
      this.marked = from < 0 ? null : reach(this.scene, from, this.chosen >= 0 ? Infinity : 1);
      this.accent.ready = false;
      this.jobs.delete("accent");
      this.changed();
    }

    // ---- frames ------------------------------------------------------------------------------------------------

    changed() {
      this.stale = true;
      this.nextFrame();
    }

    nextFrame() {
      if (this.waiting || !this.scene) return;
      this.waiting = true;
      requestAnimationFrame((now) => { this.waiting = false; this.frame(now); });
    }

    frame(now) {
      if (!this.width) return;
      this.fly(now);
      this.work();
      // While a picture is being painted and nothing moves, the window stays as it is.
      if (this.stale && (this.crisp.ready || this.overview)) {
        this.stale = false;
        this.compose();
        this.callbacks.frame(this);
      }
      if (this.jobs.size || this.flight) this.nextFrame();
    }

    // Paints on, for a slice of a frame.
    work() {
      // Nothing to be seen yet: the first picture is worth a long frame.
      const end = performance.now() + (this.crisp.ready || this.overview ? SLICE : 5 * SLICE);
      const { camera, visible } = this;
      const fresh = (bitmap) => bitmap.ready && bitmap.camera.scale === camera.scale && (bitmap.covers(visible) || bitmap.covers(this.scene.bounds));
      if (!fresh(this.crisp)) this.begin("crisp", this.next, false);
      if (this.marked && !fresh(this.accent)) this.begin("accent", this.nextAccent, true);
      // With nothing else to do, the whole is painted for whoever zooms out.
      if (!this.jobs.size && !this.overview && this.crisp.ready && this.scene.count > WITH_OVERVIEW) this.begin("overview", new Bitmap(), false);
      for (const [name, job] of this.jobs) {
        let step = job.paint.next();
        while (!step.done && performance.now() < end) step = job.paint.next();
        if (!step.done) return;
        this.finish(name, job);
      }
    }

    begin(name, bitmap, only) {
      // While the camera moves, a bitmap begun a moment ago is worth finishing: it is shown scaled.
      if (this.jobs.has(name)) return;
      const all = name === "overview";
      const { bounds } = this.scene;
      // Where all of it is visible there is nothing beside it.
      const beside = all || this.seesAll() ? 0 : MARGIN;
      const margin = { x: Math.round(this.width * beside), y: Math.round(this.height * beside) };
      const scale = all ? Math.min(this.width / bounds.width, this.height / bounds.height) : this.camera.scale;
      const from = all ? { x: -bounds.left * scale, y: -bounds.top * scale } : this.camera;
      const camera = { scale, x: from.x + margin.x, y: from.y + margin.y };
      const background = only ? null : this.look.value("--bg");
      const ctx = bitmap.open(this.width + 2 * margin.x, this.height + 2 * margin.y, this.ratio, camera, background);
      const { g, scene, look, measure, marked } = this;
      const paint = graph.paint(ctx, { g, scene, look, measure, view: bitmap.view, scale: camera.scale, marked, only });
      this.jobs.set(name, { paint, bitmap });
    }

    finish(name, { bitmap }) {
      this.jobs.delete(name);
      bitmap.ready = true;
      this.stale = true;
      if (name === "overview") { this.overview = bitmap; return; }
      if (name === "accent") { [this.accent, this.nextAccent] = [bitmap, this.accent]; return; }
      [this.crisp, this.next] = [bitmap, this.crisp === this.overview ? new Bitmap() : this.crisp];
      this.next.ready = false;
      this.callbacks.painted();
      if (!this.overview && this.scene.count > WITH_OVERVIEW && bitmap.covers(this.scene.bounds)) this.overview = bitmap;
    }

    compose() {
      const ctx = this.canvas.getContext("2d", { alpha: false });
      ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      ctx.globalAlpha = 1;
      ctx.fillStyle = this.look.value("--bg");
      ctx.fillRect(0, 0, this.width, this.height);
      const quiet = this.chosen >= 0 && this.marked;
      if (quiet) ctx.globalAlpha = this.scene.whole ? 0.28 : 0.38;
      const sharp = this.crisp.ready && this.crisp.camera.scale === this.camera.scale && (this.crisp.covers(this.visible) || this.crisp.covers(this.scene.bounds));
      if (this.overview && !sharp) this.overview.show(ctx, this.camera);
      if (this.crisp.ready) this.crisp.show(ctx, this.camera);
      ctx.globalAlpha = 1;
      if (this.marked && this.accent.ready) this.accent.show(ctx, this.camera);
      if (this.chosen >= 0) this.frameBox(ctx, this.chosen, "--accent", 2.5);
      if (this.hovered >= 0 && this.hovered !== this.chosen) this.frameBox(ctx, this.hovered, "--text", 1.5);
    }

    frameBox(ctx, box, hue, width) {
      const { scene, camera } = this;
      const pad = 3;
      ctx.beginPath();
      ctx.roundRect(scene.x[box] * camera.scale + camera.x - pad, scene.y[box] * camera.scale + camera.y - pad, scene.w[box] * camera.scale + 2 * pad, scene.h[box] * camera.scale + 2 * pad, Math.max(2, 9 * camera.scale));
      ctx.strokeStyle = this.look.value(hue);
      ctx.lineWidth = width;
      ctx.stroke();
    }

    // ---- input -------------------------------------------------------------------------------------------------

    hit(x, y) {
      const { scene, camera } = this;
      const [atX, atY] = [(x - camera.x) / camera.scale, (y - camera.y) / camera.scale];
      const near = 3 / camera.scale;
      for (let box = scene.count - 1; box >= 0; box--) {
        if (atX < scene.x[box] - near || atX > scene.x[box] + scene.w[box] + near) continue;
        if (atY >= scene.y[box] - near && atY <= scene.y[box] + scene.h[box] + near) return box;
      }
      return -1;
    }

    place(event) {
      const frame = this.canvas.getBoundingClientRect();
      return [event.clientX - frame.left, event.clientY - frame.top];
    }

    listen() {
      const { canvas } = this;
      const pointers = new Map();
      let moved = 0;
      let spread = 0;
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        pointers.set(event.pointerId, this.place(event));
        moved = 0;
        spread = 0;
      });
      canvas.addEventListener("pointermove", (event) => {
        const [x, y] = this.place(event);
        const before = pointers.get(event.pointerId);
        if (!before) { if (this.scene) this.hover(this.hit(x, y)); return; }
        pointers.set(event.pointerId, [x, y]);
        moved += Math.abs(x - before[0]) + Math.abs(y - before[1]);
        if (pointers.size === 2) spread = this.pinch([...pointers.values()], spread);
        else if (moved > 4) { this.pan(x - before[0], y - before[1]); canvas.classList.add("is-held"); }
      });
      const up = (event) => {
        const held = pointers.delete(event.pointerId);
        canvas.classList.remove("is-held");
        if (!held || moved > 4 || event.type === "pointercancel" || pointers.size || event.button > 0) return;
        this.callbacks.choose(this.hit(...this.place(event)), event);
      };
      canvas.addEventListener("pointerup", up);
      canvas.addEventListener("pointercancel", up);
      canvas.addEventListener("pointerleave", () => this.hover(-1));
      canvas.addEventListener("dblclick", (event) => this.callbacks.open(this.hit(...this.place(event)), event));
      canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      canvas.addEventListener("keydown", (event) => this.key(event));
    }

    pinch([[x0, y0], [x1, y1]], before) {
      const now = { length: Math.hypot(x1 - x0, y1 - y0), x: (x0 + x1) / 2, y: (y0 + y1) / 2 };
      if (before) {
        this.pan(now.x - before.x, now.y - before.y);
        this.zoom(now.length / before.length, now.x, now.y);
      }
      return now;
    }

    wheel(event) {
      if (!this.scene) return;
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 20 : 1;
      const [x, y] = this.place(event);
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!event.ctrlKey && (event.shiftKey || sideways)) return void this.pan(-(event.deltaX || event.deltaY) * lines, 0);
      const speed = event.ctrlKey ? 0.01 : 0.0016;
      this.zoom(Math.exp(-event.deltaY * lines * speed), x, y);
    }

    key(event) {
      if (!this.scene || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (step && event.shiftKey) this.pan(step[0] * 80, step[1] * 80);
      else if (step) this.callbacks.walk(event.key.slice(5).toLowerCase());
      else if (event.key === "+" || event.key === "=") this.zoom(1.25);
      else if (event.key === "-") this.zoom(0.8);
      else if (event.key === "0") this.fit();
      else if (event.key === "Enter") this.callbacks.open(this.chosen, event);
      else if (event.key === "Escape") this.callbacks.choose(-1, event);
      else if (!this.callbacks.key(event.key)) return;
      event.preventDefault();
    }

    // The box an arrow key leads to: along an edge to the left or right, else the next one in the same column.
    neighbour(box, way) {
      const { scene } = this;
      const middle = (i) => scene.y[i] + scene.h[i] / 2;
      if (way === "left" || way === "right") {
        const around = scene.near[way === "left" ? "up" : "down"](box).map(([other]) => other);
        return around.sort((a, b) => Math.abs(middle(a) - middle(box)) - Math.abs(middle(b) - middle(box)))[0] ?? -1;
      }
      const sign = way === "down" ? 1 : -1;
      let best = -1;
      for (let i = 0; i < scene.count; i++) {
        const apart = (middle(i) - middle(box)) * sign;
        const aside = scene.x[i] < scene.x[box] + scene.w[box] && scene.x[i] + scene.w[i] > scene.x[box];
        if (aside && apart > 0.5 && (best < 0 || apart < (middle(best) - middle(box)) * sign)) best = i;
      }
      return best;
    }
  }

  // The boxes and edges within reach of one box, in both directions.
  function reach(scene, from, depth) {
    const boxes = new Map([[from, "self"]]);
    const edges = new Map();
    for (const side of ["up", "down"]) {
      const seen = new Set([from]);
      let edge = [from];
      for (let step = 0; edge.length && step < depth; step++) {
        const next = [];
        for (const box of edge) {
          for (const [other, e] of scene.near[side](box)) {
            edges.set(e, side);
            if (!seen.has(other)) { seen.add(other); boxes.set(other, side); next.push(other); }
          }
        }
        edge = next;
      }
    }
    return { boxes, edges };
  }

  graph.View = View;
})();
