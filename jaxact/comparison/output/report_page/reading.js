// Charts that are read and zoomed: by mouse, by touch and by keyboard.

const NEAR = { mouse: 28, pen: 28, touch: 44 }; // pixels from a point that is read
const LEAST_DRAG = 8;

const views = new Map(); // what is drawn in each box, and how it is drawn again

/** Draws a chart in a box, and again when the box or what is shown changes. */
function show(box, chart, options = {}) {
  const view = views.get(box) ?? { limits: {} };
  if (view.chart !== chart) view.limits = {};
  hideTip(box);
  const drawn = drawChart(box, chart, { ...options, limits: view.limits });
  views.set(box, { ...view, chart, options, drawn });
  if (!box.hasAttribute("tabindex") && !options.isStill) makeReadable(box);
}

const drawAgain = (box) => show(box, views.get(box).chart, views.get(box).options);

function tipOf(box) {
  let tip = box.querySelector(".tip");
  if (!tip) {
    tip = document.createElement("div");
    tip.className = "tip";
    tip.setAttribute("role", "status");
    box.append(tip);
  }
  return tip;
}

function hideTip(box) {
  box.querySelector(".tip")?.replaceChildren();
  box.querySelector(".ring")?.remove();
}

/** Shows what a point says beside it, within the box, and a ring about it. */
function showTip(box, hit) {
  hideTip(box);
  const tip = tipOf(box);
  tip.replaceChildren(...hit.lines.map((line) => {
    const row = document.createElement("div");
    row.textContent = line;
    return row;
  }));
  const isLeft = hit.x > box.clientWidth / 2;
  const left = isLeft ? hit.x - tip.offsetWidth - 12 : hit.x + 12;
  tip.style.left = `${Math.max(0, Math.min(left, box.clientWidth - tip.offsetWidth))}px`;
  tip.style.top = `${Math.max(0, Math.min(hit.y - tip.offsetHeight - 8, box.clientHeight - tip.offsetHeight))}px`;
  const ring = hit.cell ?? { x: hit.x - 8, y: hit.y - 8, width: 16, height: 16, rx: 8 };
  add(box.querySelector("svg"), "rect", { class: "ring", ...ring });
}

/** The point under a pointer: the cell that it is in, or the nearest of those that are near. */
function hitAt(groups, x, y, near) {
  let [found, least] = [null, near];
  for (const hit of groups.flat()) {
    const { cell } = hit;
    if (cell) {
      if (x >= cell.x && x < cell.x + cell.width && y >= cell.y && y < cell.y + cell.height) return hit;
      continue;
    }
    const distance = Math.hypot(hit.x - x, hit.y - y);
    if (distance < least) [found, least] = [hit, distance];
  }
  return found;
}

/** The next point in the direction of a key: along its mark, or the nearest of the next mark. */
function stepFrom(groups, hit, key) {
  if (!groups.length) return null;
  const group = Math.max(0, groups.findIndex((hits) => hits.includes(hit)));
  const place = groups[group].indexOf(hit);
  if (place < 0) return groups[0][0];
  const hits = groups[group];
  if (key === "ArrowRight") return hits[Math.min(place + 1, hits.length - 1)];
  if (key === "ArrowLeft") return hits[Math.max(place - 1, 0)];
  if (key === "Home") return hits[0];
  if (key === "End") return hits.at(-1);
  const next = groups[(group + (key === "ArrowDown" ? 1 : groups.length - 1)) % groups.length];
  return next.reduce((a, b) => (Math.abs(b.x - hit.x) < Math.abs(a.x - hit.x) ? b : a));
}

const KEYS = ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Home", "End"];

function zoom(box, limits) {
  views.get(box).limits = limits;
  drawAgain(box);
}

/** The two ends of a scale between pixels, in its order. */
const between = (scale, one, other) => [scale.value(Math.min(one, other)), scale.value(Math.max(one, other))];

/** Halves both axes about a point. */
function zoomAbout(box, hit) {
  const { x, y, plot, isRows } = views.get(box).drawn;
  const [wide, high] = [(plot.right - plot.left) / 4, (plot.bottom - plot.top) / 4];
  const rows = isRows ? {} : { y: between(y, hit.y - high, hit.y + high).reverse() };
  zoom(box, { x: between(x, hit.x - wide, hit.x + wide), ...rows });
}

function makeReadable(box) {
  box.tabIndex = 0;
  let current = null;
  let start = null; // of a drag, in pixels
  const read = (hit) => {
    current = hit;
    if (hit) showTip(box, hit);
    else hideTip(box);
  };
  const groups = () => views.get(box).drawn?.groups ?? [];
  const pointOf = (event) => {
    const { left, top } = box.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const readAt = (event) => read(hitAt(groups(), ...pointOf(event), NEAR[event.pointerType] ?? NEAR.mouse));
  box.addEventListener("pointermove", (event) => {
    if (start) drawFrame(box, start, pointOf(event));
    else if (event.pointerType !== "touch") readAt(event);
  });
  box.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") readAt(event); // a finger is to scroll the page
    else if (event.button === 0 && views.get(box).drawn?.plot) {
      start = pointOf(event);
      box.setPointerCapture(event.pointerId);
    }
  });
  box.addEventListener("pointerup", (event) => {
    if (!start) return;
    const limits = framed(box, start, pointOf(event));
    start = null;
    box.querySelector(".frame")?.remove();
    if (limits) zoom(box, limits);
  });
  box.addEventListener("pointercancel", () => {
    start = null;
    box.querySelector(".frame")?.remove();
  });
  box.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") read(null); // a finger leaves as soon as it is lifted
  });
  box.addEventListener("dblclick", () => zoom(box, {}));
  box.addEventListener("blur", () => read(null));
  box.addEventListener("keydown", (event) => {
    if (KEYS.includes(event.key)) read(stepFrom(groups(), current, event.key));
    else if (event.key === "+" && current && views.get(box).drawn.plot) zoomAbout(box, current);
    else if (event.key === "Escape") zoom(box, {});
    else return;
    event.preventDefault();
  });
}

/** A frame about what a drag will show. */
function drawFrame(box, [x, y], [toX, toY]) {
  hideTip(box);
  box.querySelector(".frame")?.remove();
  add(box.querySelector("svg"), "rect", { class: "frame", x: Math.min(x, toX), y: Math.min(y, toY),
    width: Math.abs(toX - x), height: Math.abs(toY - y) });
}

/** The limits of what was framed; null if that was a click. An axis hardly dragged stays as it is. */
function framed(box, [x, y], [toX, toY]) {
  const view = views.get(box);
  const { drawn } = view;
  const limits = { ...view.limits };
  const isWide = Math.abs(toX - x) >= LEAST_DRAG;
  const isHigh = Math.abs(toY - y) >= LEAST_DRAG && !drawn.isRows;
  if (!isWide && !isHigh) return null;
  const inside = (value, low, high) => Math.min(Math.max(value, low), high);
  const { left, right, top, bottom } = drawn.plot;
  if (isWide) limits.x = between(drawn.x, inside(x, left, right), inside(toX, left, right));
  if (isHigh) limits.y = between(drawn.y, inside(y, top, bottom), inside(toY, top, bottom)).reverse();
  return limits;
}
