// Learning curves, times to the target, and the profile over workloads.

const SCALE = { accuracy: 100, loss: 1 };
const FAR = 1e6; // off every chart

/** The area between two ends of an interval, each a function of the position. */
function area(x, at, low, high, color, opacity) {
  const back = [...at].reverse();
  return {
    x: [...at, ...back].map((k) => x[k]),
    y: [...at.map(low), ...back.map(high)],
    mode: "lines",
    line: { width: 0 },
    fill: "toself",
    fillcolor: translucent(color, opacity),
    hoverinfo: "skip",
  };
}

/** The interval about a curve; where lost runs leave one end open it fades off the chart. */
function bands(x, figures, measure, color) {
  const { low, median, high } = figures;
  const scale = SCALE[measure];
  const positions = x.map((_, k) => k);
  const known = positions.filter((k) => median[k] !== null && (low[k] ?? high[k] ?? null) !== null);
  const closed = area(x, known, (k) => (low[k] ?? median[k]) * scale,
    (k) => (high[k] ?? median[k]) * scale, color, 0.14);
  const open = known.filter((k) => low[k] === null || high[k] === null);
  const edge = measure === "loss" ? FAR : 0;
  return [closed, area(x, open, (k) => median[k] * scale, () => edge, color, 0.05)];
}

/** At most 8 positions of a curve's markers, other ones for other activations. */
function markedAt(length, position) {
  const every = Math.max(1, Math.ceil(length / 8));
  return [...Array(length).keys()].filter((k) => k % every === position % every);
}

/** Labels for a logarithmic axis: 1, 2 and 5 times powers of ten, or powers alone if many. */
function ticksBetween([low, high]) {
  const digits = high - low > 3 ? [1] : [1, 2, 5];
  const values = [];
  for (let k = Math.floor(low); k <= Math.ceil(high); k += 1) {
    values.push(...digits.map((d) => d * 10 ** k).filter((v) => low <= Math.log10(v) && Math.log10(v) <= high));
  }
  if (values.length < 2) return { nticks: 6 }; // plotly’s own are finer
  return { tickvals: values, ticktext: values.map((v) => number(v, 2)) };
}

function curveTraces(workload, measure, split, along) {
  const [areas, lines, markers, crosses] = [[], [], [], []];
  const value = (v) => (v === null ? "N/A" : number(v * SCALE[measure]) + (measure === "loss" ? "" : " %"));
  workload.curves.forEach((curve, k) => {
    if (!curve || !shown.has(k)) return;
    const item = data.series[k];
    const color = colorOf(item);
    const figures = curve[`${split}_${measure}`];
    const x = curve[along];
    const interval = (n) =>
      figures.low[n] === null && figures.high[n] === null
        ? ""
        : ` (${value(figures.low[n])} to ${value(figures.high[n])})`;
    areas.push(...bands(x, figures, measure, color));
    lines.push({
      x,
      y: figures.median.map((v) => (v === null ? null : v * SCALE[measure])),
      mode: "lines",
      line: { color, width: 2, dash: item.dash },
      hoverinfo: "text",
      text: curve.epoch.map(
        (epoch, n) =>
          `<b>${plain(item.label)}</b><br>epoch ${epoch}` +
          (curve.seconds[n] === null ? "<br>" : `, ${number(curve.seconds[n])} s<br>`) +
          value(figures.median[n]) + interval(n),
      ),
    });
    const marked = markedAt(x.length, k).filter((n) => figures.median[n] !== null);
    markers.push({
      x: marked.map((n) => x[n]),
      y: marked.map((n) => figures.median[n] * SCALE[measure]),
      mode: "markers",
      marker: { color, size: 8, symbol: item.symbol },
      hoverinfo: "text",
      text: marked.map((n) => lines.at(-1).text[n]),
    });
    const lost = curve.diverged.filter((run) => Number.isFinite(run[`${split}_${measure}`]));
    crosses.push({
      x: lost.map((run) => run[along]),
      y: lost.map((run) => run[`${split}_${measure}`] * SCALE[measure]),
      mode: "markers",
      marker: { symbol: "x-thin", size: 13, line: { color, width: 3 } },
      hoverinfo: "text",
      text: lost.map((run) => `<b>${plain(item.label)}</b>, seed ${run.seed}<br>${plain(run.note)}`),
    });
  });
  return { areas, marks: [...lines, ...markers, ...crosses] };
}

/** What the y axis shows: all that is marked, with a margin, on a linear or a logarithmic axis. */
function rangeOfMarks(marks, logarithmic, also) {
  const drawn = marks.flatMap((trace) => trace.y).filter((v) => v !== null && (v > 0 || !logarithmic));
  if (!drawn.length) return undefined;
  const values = [...drawn, ...also];
  const heights = values.map((v) => (logarithmic ? Math.log10(v) : v));
  const low = heights.reduce((a, b) => Math.min(a, b));
  const high = heights.reduce((a, b) => Math.max(a, b));
  const margin = 0.06 * (high - low || 1);
  return [low - margin, high + margin];
}

function targetLine(workload) {
  const { muted, paper } = theme();
  const y = 100 * workload.target;
  return {
    shapes: [
      { type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, layer: "below",
        line: { color: muted, width: 1, dash: "dot" } },
    ],
    annotations: [
      { xref: "paper", x: 0, xanchor: "left", y, yanchor: "bottom", showarrow: false,
        text: `target ${number(y)} %`, font: { color: muted, size: 12 }, bgcolor: paper },
    ],
  };
}

function drawCurves() {
  const section = workloadSection();
  const workload = data.workloads[current];
  const [along, split] = [chosen("x") ?? "epoch", chosen("split") ?? "eval"];
  const x = axis(along === "epoch" ? "epoch" : "training time (s)", { rangemode: "tozero" });
  if (along === "epoch" && data.epochs <= 10) x.dtick = 1;
  const set = split === "eval" ? data.evalSplit : "training";
  for (const box of all("[data-chart=accuracy], [data-chart=loss]", section)) {
    const measure = box.dataset.chart;
    const isLoss = measure === "loss";
    const { areas, marks } = curveTraces(workload, measure, split, along);
    const y = axis(isLoss ? `${set} loss (nats)` : `${set} accuracy (%)`);
    const near = !isLoss && chosen("range") === "near" && workload.target < 1;
    const miss = 100 * (1 - workload.target);
    y.range = near ? [100 - 4 * miss, 100 + 0.1 * miss] : rangeOfMarks(marks, isLoss, isLoss ? [] : [100 * workload.target]);
    if (isLoss) Object.assign(y, { type: "log", ...(y.range && ticksBetween(y.range)) });
    draw(box, [...areas, ...marks], { xaxis: x, yaxis: y, ...(isLoss ? {} : targetLine(workload)) });
  }
}

/** Whole numbers at the ticks of an axis of few epochs. */
const ticksOf = (timeAxis) => (timeAxis.unit === "epochs" && data.epochs <= 10 ? { dtick: 1 } : {});

/** A row for each activation that is shown: a mark a run, a bar at their centre, its interval. */
function drawRows(box, rows, { title, unit, centre, range, ticks = {} }) {
  const { ink, muted } = theme();
  const traces = [];
  const annotations = [];
  rows.forEach(([k, runs, { value, low, high }], row) => {
    const item = data.series[k];
    const color = colorOf(item);
    const hits = runs.filter((run) => run.value !== null);
    if (value !== null) {
      const to = high ?? 2 * range[1]; // beyond the edge: no end to the interval
      if (low !== null) {
        traces.push({ x: [low, to], y: [row, row], mode: "lines", hoverinfo: "skip",
          line: { color: muted, width: 2 } });
      }
      traces.push({ x: [value], y: [row], mode: "markers", hoverinfo: "text",
        marker: { symbol: "line-ns", size: 22, line: { color: ink, width: 3 } },
        text: `<b>${plain(item.label)}</b><br>${centre} ${number(value)} ${unit}` });
    }
    traces.push({
      x: hits.map((run) => run.value),
      y: hits.map(() => row),
      mode: "markers",
      marker: { color, size: 9, symbol: item.symbol, opacity: 0.85 },
      hoverinfo: "text",
      text: hits.map((run) => `<b>${plain(item.label)}</b>, seed ${run.seed}<br>${number(run.value)} ${unit}`),
    });
    annotations.push({ xref: "paper", x: 0, xanchor: "left", y: row - 0.42, showarrow: false,
      text: plain(item.label), font: { size: 12, color: ink } });
    if (hits.length < runs.length) {
      annotations.push({ xref: "paper", x: 1, xanchor: "right", y: row - 0.42, showarrow: false,
        text: `${runs.length - hits.length} of ${runs.length} missed`, font: { size: 12, color: muted } });
    }
  });
  draw(box, traces, {
    annotations,
    margin: { l: 14, r: 14, t: 10, b: 48 },
    xaxis: axis(title, { range, ...ticks }),
    yaxis: { range: [rows.length - 0.5, -0.75], visible: false, fixedrange: true },
  });
}

const shownInOrder = () => data.series.map((_, k) => k).filter((k) => shown.has(k));

function drawTimes() {
  const box = workloadSection().querySelector("[data-chart=times]");
  if (!box) return;
  const { times, timeAxis } = data.workloads[current];
  const rows = shownInOrder().map((k) =>
    [k, times[k].runs.map(({ seed, at }) => ({ seed, value: at })), times[k].median]);
  const reached = rows.flatMap(([, runs]) => runs.map((run) => run.value ?? 0));
  const trained = rows.map(([k]) => times[k].steps.x.at(-1) ?? 0); // if none reached it
  const end = 1.12 * (Math.max(0, ...reached) || Math.max(1, ...trained));
  drawRows(box, rows, { title: timeAxis.title, unit: timeAxis.unit, centre: "median",
    range: [0, end], ticks: ticksOf(timeAxis) });
}

function drawErrors() {
  const box = workloadSection().querySelector("[data-chart=errors]");
  if (!box) return;
  const errors = data.workloads[current].errors;
  const rows = shownInOrder().map((k) =>
    [k, errors[k].runs.map(({ seed, error }) => ({ seed, value: error })), errors[k].mean]);
  const drawn = rows.flatMap(([, runs, { low, high }]) => [low, high, ...runs.map((run) => run.value)]);
  const values = drawn.filter((v) => v !== null);
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const margin = 0.08 * (high - low || 1);
  drawRows(box, rows, { title: "error (%)", unit: "%", centre: "mean",
    range: [low - margin, high + margin] });
}

function stepTraces(lines, unit) {
  return lines
    .filter(([k]) => shown.has(k))
    .map(([k, { x, y }]) => {
      const item = data.series[k];
      return {
        x,
        y: y.map((share) => 100 * share),
        mode: "lines",
        line: { shape: "hv", color: colorOf(item), width: 2, dash: item.dash },
        hoverinfo: "text",
        text: x.map((at, n) => `<b>${plain(item.label)}</b><br>${number(100 * y[n])} % ${unit(at)}`),
      };
    });
}

function drawReached() {
  const box = workloadSection().querySelector("[data-chart=reached]");
  if (!box) return;
  const { times, timeAxis } = data.workloads[current];
  const lines = times.map(({ steps }, k) => [k, steps]);
  draw(box, stepTraces(lines, (at) => `by ${number(at)} ${timeAxis.unit}`), {
    xaxis: axis(timeAxis.title, { rangemode: "tozero", ...ticksOf(timeAxis) }),
    yaxis: axis("runs at the target (%)", { range: [-2, 104] }),
  });
}

function drawProfile() {
  const box = document.getElementById("profile");
  if (!box) return;
  const lines = data.profile.shares.map((y, k) => [k, { x: data.profile.ratios, y }]);
  draw(box, stepTraces(lines, (at) => `within ${number(at)} times the fastest`), {
    xaxis: axis("time, as a multiple of the fastest activation’s", { type: "log", exponentformat: "none" }),
    yaxis: axis("workloads (%)", { range: [-2, 104] }),
  });
}
