// Charts as SVG: `drawChart` draws the JSON of jaxact.presentation.chart into a box of the page.

const TITLE_SIZE = 13;
const [TOP, RIGHT, BOTTOM] = [12, 18, 46]; // room about the axes; below are ticks and a title
const MARGIN = 0.05; // about the marks, where an axis has no limits
const SIDE = 0.34; // of the width, at most, for the labels of rows beside a chart

let clips = 0;

/** The ends of an axis: where somebody has zoomed, those that it has, or those of the marks. */
function limitsOf(chart, name, { limits, isClose }) {
  if (limits?.[name]) return limits[name];
  const axis = chart[name];
  const [first, last] = (!isClose && axis.whole) || axis.limits;
  const isLog = axis.scale === "log";
  const values = chart.marks.filter(isShown).flatMap((mark) => numbersOf(mark, name))
    .filter((value) => known(value) && (!isLog || value > 0));
  const [low, high] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  if (low > high) return [first ?? (isLog ? 1 : 0), last ?? (first ?? 0) + 10];
  if (isLog) return [first ?? low / 1.1, last ?? high * 1.1];
  const margin = MARGIN * (high - low || Math.abs(high) || 1);
  const length = chart.marks.find((mark) => mark.kind === "length")?.length ?? 0;
  const room = name === "x" ? Math.max(margin, (1.4 * length - high + low) / 2) : margin;
  const below = name === "y" && length ? room + 0.15 * (high - low) : room; // where it is drawn
  return [first ?? low - below, last ?? high + room];
}

/** The rows that are shown: their labels, and where a y of the whole chart is among them. */
function rowsOf(chart) {
  const names = chart.y.rows.filter((k) => shown.has(k));
  const rowOf = (y) => Math.min(Math.max(Math.round(y), 0), chart.y.rows.length - 1);
  return {
    labels: names.map((k) => chart.labels.get(k)),
    place: (y) => names.indexOf(chart.y.rows[rowOf(y)]) + (y - rowOf(y)),
  };
}

/** Labels of rows beside the chart, or where there is no room for them above what they name. */
function drawRowLabels(svg, labels, at, plot, isAbove) {
  labels.forEach((label, row) => {
    const y = at.row(row);
    if (isAbove) add(svg, "text", { class: "row halo", x: plot.left, y: placed(y - 9) }, fitted(label, plot.right - plot.left));
    else add(svg, "text", { class: "row", x: plot.left - 10, y: placed(y + 4), "text-anchor": "end" }, fitted(label, plot.left - 12));
  });
}

function drawAxes(svg, chart, plot, { x, y }, zone) {
  const grid = add(svg, "g", { class: "grid" });
  const axes = add(svg, "g", { class: "axes" });
  for (const [value, text] of spacedTicks(chart.x, x, plot.right - plot.left, zone)) {
    const at = placed(x.at(value));
    if (text !== zone?.text) add(grid, "path", { d: `M${at} ${plot.top}V${plot.bottom}` });
    add(axes, "text", { class: "tick", x: at, y: plot.bottom + 17, "text-anchor": "middle" }, text);
  }
  for (const value of plot.ticks) {
    const at = y.at(value);
    add(grid, "path", { d: across(plot.left, plot.right, at) });
    add(axes, "text", { class: "tick", x: plot.left - 7, y: placed(at + 4), "text-anchor": "end" }, number(value, 12));
  }
  add(axes, "path", { class: "edge", d: `M${plot.left} ${plot.top}V${plot.bottom}H${plot.right}` });
  const size = (text, room) => Math.min(TITLE_SIZE, (TITLE_SIZE * room) / textWidth(text, TITLE_SIZE));
  const [middle, height] = [(plot.left + plot.right) / 2, plot.bottom - plot.top];
  add(axes, "text", { class: "title", x: placed(middle), y: plot.bottom + 38, "text-anchor": "middle",
    "font-size": size(chart.x.title, plot.width - 8) }, chart.x.title);
  if (chart.y.rows.length) return;
  add(axes, "text", { class: "title", "text-anchor": "middle", "font-size": size(chart.y.title, height + BOTTOM),
    transform: `translate(13 ${placed(plot.top + height / 2)}) rotate(-90)` }, chart.y.title);
}

/**
 * Draws a chart in its box, whose size the page has set.
 *
 * Returns the scales, the area of the plot in pixels, and the points that can be read, by marks.
 */
function drawChart(box, chart, options = {}) {
  const [width, height] = [box.clientWidth, box.clientHeight];
  box.querySelector("svg")?.remove();
  if (!width || !height) return null; // it is not shown
  chart.labels ??= new Map(chart.legend);
  const svg = add(box, "svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMidYMin meet", "aria-hidden": "true" });
  const rows = rowsOf(chart);
  const isRows = chart.y.rows.length > 0;
  const plot = { width, top: TOP, right: width - RIGHT, bottom: height - BOTTOM };
  const yLimits = isRows ? [rows.labels.length - 0.5, -0.5] : limitsOf(chart, "y", options);
  plot.ticks = isRows ? [] : ticksOf(chart.y, yLimits, Math.floor((plot.bottom - plot.top) / 45))
    .filter((value) => value >= 0 || yLimits[1] <= 0 || chart.marks.every((mark) => mark.kind !== "length"));
  const texts = isRows ? rows.labels : plot.ticks.map((value) => number(value, 12));
  const longest = Math.max(0, ...texts.map((text) => textWidth(text)));
  const isAbove = isRows && longest > SIDE * width;
  if (isAbove) yLimits[1] = -0.75; // for the first label
  plot.left = isAbove ? 8 : longest + (isRows ? 14 : 34);
  const zone = chart.marks.find((mark) => mark.kind === "zone");
  const x = scaleOf(chart.x.scale === "log", limitsOf(chart, "x", options), [plot.left, plot.right]);
  const y = scaleOf(chart.y.scale === "log", yLimits, [plot.bottom, plot.top]);
  const at = { x: x.at, y: isRows ? (value) => y.at(rows.place(value)) : y.at, row: y.at };
  at.point = (one, other) => (known(one) && known(other) ? [at.x(one), at.y(other)] : null);
  drawAxes(svg, chart, plot, { x, y }, zone);
  if (isRows) drawRowLabels(svg, rows.labels, at, plot, isAbove);
  clips += 1;
  const clip = add(svg, "clipPath", { id: `clip-${clips}` });
  add(clip, "rect", { x: plot.left - 6, y: plot.top - 6, width: plot.right - plot.left + 12, height: plot.bottom - plot.top + 12 });
  const layer = add(svg, "g", { "clip-path": `url(#clip-${clips})` });
  const marks = chart.marks.map((mark, index) => [mark, index]).filter(([mark]) => isShown(mark));
  for (const [mark, index] of marks) drawMark(layer, mark, index, at, plot);
  const isWithin = (hit) => hit.x >= plot.left - 6 && hit.x <= plot.right + 6 && hit.y >= plot.top - 6 && hit.y <= plot.bottom + 6;
  const groups = marks.map(([mark]) => hitsOf(mark, chart, at).filter(isWithin)).filter((hits) => hits.length);
  return { svg, plot, x, y, groups, isRows };
}
