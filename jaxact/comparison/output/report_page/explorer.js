// The functions and derivatives under a cursor that the mouse, a finger or the slider moves.

const MARGIN = { l: 40, r: 12, t: 10, b: 36 };
const EDGE = 6; // x from -EDGE to EDGE
const FARTHEST = 12; // functions that leave this range leave the chart
let cursor = 1;

const sampleAt = (x) => Math.round(((x + EDGE) / (2 * EDGE)) * (data.explorer.x.length - 1));

function formatted(value) {
  if (value === null) return "not finite";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential(5) : value.toFixed(6);
  return text.replace("-", "\u2212");
}

/** A curve with a gap where the derivative jumps. */
function broken(x, y, kinks) {
  const points = { x: [], y: [] };
  const step = x[1] - x[0];
  y.forEach((value, k) => {
    const nearKink = kinks.some((at) => x[k - 1] <= at + step / 2 && x[k] >= at - step / 2);
    if (k && nearKink && Math.abs(value - y[k - 1]) > 0.02) {
      points.x.push(x[k]);
      points.y.push(null);
    }
    points.x.push(x[k]);
    points.y.push(value);
  });
  return points;
}

function rangeOf(kind) {
  let [low, high] = [-0.1, 1.1];
  for (const k of shown) {
    for (const value of data.explorer.functions[k][kind] ?? []) {
      if (value === null) continue;
      low = Math.min(low, Math.max(value, -FARTHEST));
      high = Math.max(high, Math.min(value, FARTHEST));
    }
  }
  const margin = 0.04 * (high - low);
  return [low - margin, high + margin];
}

function drawExplorer() {
  if (!document.getElementById("cursor")) return; // no function is known
  for (const kind of ["values", "slopes"]) {
    const box = document.getElementById(`explorer-${kind}`);
    const traces = [...shown]
      .filter((k) => data.explorer.functions[k][kind])
      .map((k) => {
        const [item, functionOf] = [data.series[k], data.explorer.functions[k]];
        const kinks = kind === "slopes" ? functionOf.kinks : [];
        return {
          ...broken(data.explorer.x, functionOf[kind], kinks),
          mode: "lines",
          line: { color: colorOf(item), width: 2, dash: item.dash },
          hoverinfo: "skip",
        };
      });
    const range = rangeOf(kind);
    const zero = { zeroline: true, zerolinecolor: theme().muted, zerolinewidth: 1 };
    const layout = {
      margin: MARGIN,
      xaxis: axis("", { range: [-EDGE, EDGE], dtick: 2, ...zero }),
      yaxis: axis("", { range, ...zero }),
    };
    draw(box, traces, layout, { staticPlot: true });
    box.dataset.range = JSON.stringify(range);
  }
  showCursor();
}

function marks(box) {
  let layer = box.parentNode.querySelector(".marks");
  if (!layer) {
    layer = document.createElement("div");
    layer.className = "marks";
    box.after(layer);
  }
  return layer;
}

/** The line and dots at the cursor, and the values in the table. */
function showCursor() {
  if (!document.getElementById("cursor")) return;
  const at = sampleAt(cursor);
  document.getElementById("cursor-at").textContent = `x = ${cursor.toFixed(2).replace("-", "\u2212")}`;
  const slider = document.getElementById("cursor");
  slider.value = cursor;
  slider.setAttribute("aria-valuetext", `x = ${cursor.toFixed(2)}`);
  for (const kind of ["values", "slopes"]) {
    const box = document.getElementById(`explorer-${kind}`);
    const [low, high] = JSON.parse(box.dataset.range);
    const width = box.clientWidth - MARGIN.l - MARGIN.r;
    const height = box.clientHeight - MARGIN.t - MARGIN.b;
    const layer = marks(box);
    const line = document.createElement("span");
    line.style.left = `${MARGIN.l + (width * (cursor + EDGE)) / (2 * EDGE)}px`;
    line.style.top = `${MARGIN.t}px`;
    line.style.height = `${height}px`;
    for (const k of shown) {
      const value = data.explorer.functions[k][kind]?.[at] ?? null;
      if (value === null || value < low || value > high) continue;
      const dot = document.createElement("i");
      dot.style.top = `${(height * (high - value)) / (high - low)}px`;
      dot.style.background = colorOf(data.series[k]);
      line.append(dot);
    }
    layer.replaceChildren(line);
  }
  for (const row of all("[data-function]")) {
    const functionOf = data.explorer.functions[Number(row.dataset.function)];
    row.hidden = !shown.has(Number(row.dataset.function));
    if (!functionOf.values) continue;
    row.cells[1].textContent = formatted(functionOf.values[at]);
    row.cells[2].textContent = formatted(functionOf.slopes[at]);
  }
}

function moveCursor(x) {
  const bounded = Math.min(Math.max(x, -EDGE), EDGE);
  cursor = data.explorer.x[sampleAt(bounded)];
  showCursor();
}

function makeExplorer() {
  const slider = document.getElementById("cursor");
  if (!slider) return;
  slider.addEventListener("input", () => moveCursor(Number(slider.value)));
  slider.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    moveCursor(cursor + steps[event.key] * (event.shiftKey ? 0.01 : 0.1));
  });
  for (const box of all(".explorer")) {
    const follow = (event) => {
      const left = box.getBoundingClientRect().left + MARGIN.l;
      const width = box.clientWidth - MARGIN.l - MARGIN.r;
      moveCursor(((event.clientX - left) / width) * 2 * EDGE - EDGE);
    };
    box.addEventListener("pointermove", follow);
    box.addEventListener("pointerdown", follow); // a tap
  }
}
