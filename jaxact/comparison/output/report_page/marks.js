// The marks of a chart as SVG, and what each of their points says.

const SVG = "http://www.w3.org/2000/svg";

function add(parent, name, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== "") made.setAttribute(key, value);
  }
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

const isShown = (mark) => mark.of === undefined || shown.has(mark.of);
const known = (value) => value !== null && value !== undefined;
const placed = (pixel) => pixel.toFixed(2);

/** Every number that a mark has along an axis, "x" or "y". */
function numbersOf(mark, axis) {
  if (mark.kind === "rule") return mark.axis === axis ? [mark.at] : [];
  if (mark.kind === "zone") return axis === "x" ? [mark.low, mark.high] : [];
  if (mark.kind === "centre") return axis === "x" ? [mark.value, mark.low, mark.high] : [mark.y];
  return [mark[axis] ?? []].flat();
}

/** The path through points in pixels, broken where one is null; level between them if in steps. */
function pathOf(points, isStep) {
  let path = "";
  points.forEach((point, k) => {
    if (!point) return;
    const [x, y] = point.map(placed);
    if (!k || !points[k - 1]) path += `M${x} ${y}`;
    else path += isStep ? `H${x}V${y}` : `L${x} ${y}`;
  });
  return path;
}

/** The area between two ends of a band, [x, low, high] in pixels, broken where one is null. */
function areaOf(ends) {
  const runs = [[]];
  for (const end of ends) {
    if (end) runs.at(-1).push(end);
    else runs.push([]);
  }
  const path = (run) => {
    const there = run.map(([x, low]) => `${placed(x)} ${placed(low)}`);
    const back = run.map(([x, , high]) => `${placed(x)} ${placed(high)}`).reverse();
    return `M${[...there, ...back].join("L")}Z`;
  };
  return runs.filter((run) => run.length > 1).map(path).join("");
}

/** The interval about a line; where lost runs leave an end open it fades off the chart. */
function drawBand(group, mark, at, plot) {
  const [closed, open] = [[], []];
  mark.x.forEach((x, k) => {
    const [low, middle, high] = [mark.low[k], mark.y[k], mark.high[k]];
    const isKnown = known(x) && known(middle) && (known(low) || known(high));
    const isOpen = isKnown && !(known(low) && known(high));
    closed.push(isKnown ? [at.x(x), at.y(low ?? middle), at.y(high ?? middle)] : null);
    open.push(isOpen ? [at.x(x), at.y(middle), known(low) ? plot.top : plot.bottom] : null);
  });
  add(group, "path", { class: "band", d: areaOf(closed) });
  add(group, "path", { class: "band open", d: areaOf(open) });
}

function drawMarker(group, k, [x, y]) {
  const transform = `translate(${placed(x)} ${placed(y)})`;
  add(group, "path", { class: "marker", d: data.series[k].outline, transform });
}

const across = (from, to, y) => `M${placed(from)} ${placed(y)}H${placed(to)}`;
const upright = (x, from, to) => `M${placed(x)} ${placed(from)}V${placed(to)}`;

/** How each kind of mark is drawn: into a group of its own, at pixels that `at` gives. */
const DRAWN = {
  line(group, mark, at, plot) {
    const points = mark.x.map((x, k) => at.point(x, mark.y[k]));
    if (mark.low && !mark.is_muted) drawBand(group, mark, at, plot);
    const dashes = mark.is_muted ? "" : data.series[mark.of].dash;
    add(group, "path", { class: mark.is_muted ? "muted-line" : "line", d: pathOf(points, mark.is_step),
      "stroke-dasharray": dashes });
    const marked = mark.is_muted ? [] : mark.marked ?? [];
    for (const k of marked) if (points[k]) drawMarker(group, mark.of, points[k]);
  },
  points(group, mark, at) {
    mark.x.forEach((x, k) => {
      const point = at.point(x, mark.y[k]);
      if (point && mark.is_end) add(group, "path", { class: "end", d: `M${point.map(placed)}m-5-5l10 10m0-10l-10 10` });
      else if (point) drawMarker(group, mark.of, point);
    });
  },
  centre(group, mark, at) {
    const [x, y] = at.point(mark.value, mark.y);
    if (known(mark.low) && known(mark.high)) {
      add(group, "path", { class: "whisker", d: across(at.x(mark.low), at.x(mark.high), y) });
    }
    if (mark.is_dot) drawMarker(group, mark.of, [x, y]);
    else add(group, "path", { class: "bar", d: upright(x, y - 11, y + 11) });
  },
  cross(group, mark, at) {
    const [[x, left, right], [y, low, high]] = [mark.x, mark.y];
    const point = at.point(x, y);
    if (!point) return;
    if (known(left)) add(group, "path", { class: "reach", d: across(at.x(left), at.x(right), point[1]) });
    if (known(low)) add(group, "path", { class: "reach", d: upright(point[0], at.y(low), at.y(high)) });
    drawMarker(group, mark.of, point);
  },
  rule(group, mark, at, plot) {
    const pixel = at[mark.axis](mark.at);
    const d = mark.axis === "y" ? across(plot.left, plot.right, pixel) : upright(pixel, plot.top, plot.bottom);
    add(group, "path", { class: mark.is_dashed ? "rule dashed" : "rule", d });
    if (mark.text) add(group, "text", { x: plot.left + 4, y: placed(pixel - 5), class: "halo" }, mark.text);
  },
  zone(group, mark, at, plot) {
    add(group, "rect", { class: "zone", x: placed(at.x(mark.low)), y: plot.top,
      width: placed(Math.max(0, at.x(mark.high) - at.x(mark.low))), height: plot.bottom - plot.top });
  },
  label(group, mark, at) {
    const [x, y] = at.point(mark.x, mark.y);
    add(group, "text", { x: placed(x - 9), y: placed(y + 4), "text-anchor": "end" }, mark.text);
  },
  length(group, mark, at, plot) {
    const [x, y] = [plot.left + 8, plot.bottom - 10];
    const width = at.x(mark.length) - at.x(0);
    add(group, "path", { class: "whisker", d: `M${x} ${y - 4}v8m0-4h${placed(width)}m0-4v8` });
    add(group, "text", { x, y: y - 9, class: "halo" }, mark.text);
  },
};

/** A group in the look of an activation, on light and on dark paper. */
function seriesGroup(layer, of, attributes = {}) {
  const group = add(layer, "g", { class: "series", ...attributes });
  group.style.setProperty("--light", data.series[of].light);
  group.style.setProperty("--dark", data.series[of].dark);
  return group;
}

function drawMark(layer, mark, index, at, plot) {
  const attributes = { "data-mark": index, "data-kind": mark.kind, "data-of": mark.of };
  const group = known(mark.of) ? seriesGroup(layer, mark.of, attributes) : add(layer, "g", attributes);
  DRAWN[mark.kind](group, mark, at, plot);
}

/** The points of a mark that can be read: their place in pixels and what they say, by lines. */
function hitsOf(mark, chart, at) {
  const label = chart.labels.get(mark.of);
  const zone = chart.marks.find((other) => other.kind === "zone");
  const readX = (x) => (zone && x >= zone.low ? zone.text : reading(chart.x, x));
  const note = (k) => mark.notes?.[k] ?? "";
  const hit = (x, y, ...lines) => {
    const point = known(x) && known(y) ? at.point(x, y) : null;
    return point ? [{ x: point[0], y: point[1], lines: [label, ...lines.filter(Boolean)] }] : [];
  };
  if (mark.kind === "line") {
    return mark.x.flatMap((x, k) => hit(x, mark.y[k],
      reading(chart.y, mark.y[k], mark.low?.[k] ?? null, mark.high?.[k] ?? null),
      [readX(x), note(k)].filter(Boolean).join(", ")));
  }
  if (mark.kind === "points") {
    return mark.x.flatMap((x, k) => {
      const y = chart.y.rows.length ? "" : reading(chart.y, mark.y[k]);
      return hit(x, mark.y[k], note(k), [y, readX(x)].filter(Boolean).join(", "));
    });
  }
  if (mark.kind === "centre") {
    const words = mark.text || reading(chart.x, mark.value, mark.low, mark.high);
    return hit(mark.value, mark.y, `${mark.word} ${words}`);
  }
  if (mark.kind === "cross") return hit(mark.x[0], mark.y[0], reading(chart.y, ...mark.y), reading(chart.x, ...mark.x));
  return [];
}
