// The functions and derivatives under a cursor that the mouse, a finger or the slider moves.

const KINDS = ["values", "slopes"];
const EDGE = 6; // x from -EDGE to EDGE
const FARTHEST = 12; // functions that leave this range leave the chart
let cursor = 1;

/** Samples as the page holds them, float32 in base64; null where not finite. */
function decoded(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 4 }, (_, k) => {
    const value = view.getFloat32(4 * k, true);
    return Number.isFinite(value) ? value : null;
  });
}

for (const functionOf of data.explorer.functions) {
  for (const kind of KINDS) if (functionOf[kind]) functionOf[kind] = decoded(functionOf[kind]);
}

const explorerBox = (kind) => document.getElementById(`explorer-${kind}`);
const sampleAt = (x) => Math.round(((x + EDGE) / (2 * EDGE)) * (data.explorer.x.length - 1));

function formatted(value) {
  if (value === null) return "not finite";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential(5) : value.toFixed(6);
  return text.replace("-", "\u2212");
}

/** A curve with a gap where the derivative jumps. */
function broken(of, x, y, kinks) {
  const line = { kind: "line", of, x: [], y: [] };
  const step = x[1] - x[0];
  y.forEach((value, k) => {
    const nearKink = kinks.some((at) => x[k - 1] <= at + step / 2 && x[k] >= at - step / 2);
    if (k && nearKink && Math.abs(value - y[k - 1]) > 0.02) {
      line.x.push(x[k]);
      line.y.push(null);
    }
    line.x.push(x[k]);
    line.y.push(value);
  });
  return line;
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
  for (const kind of KINDS) {
    const lines = [...shown]
      .filter((k) => data.explorer.functions[k][kind])
      .map((k) => {
        const functionOf = data.explorer.functions[k];
        return broken(k, data.explorer.x, functionOf[kind], kind === "slopes" ? functionOf.kinks : []);
      });
    const axis = { reading: "{}", scale: "linear", rows: [] };
    const zero = { kind: "rule", at: 0 };
    show(explorerBox(kind), {
      x: { ...axis, title: "x", limits: [-EDGE, EDGE] },
      y: { ...axis, title: kind === "values" ? "f(x)" : "f\u2032(x)", limits: rangeOf(kind) },
      marks: [{ ...zero, axis: "x" }, { ...zero, axis: "y" }, ...lines],
      legend: [],
    }, { isStill: true });
  }
  showCursor();
}

/** The line and dots at the cursor, and the values in the table. */
function showCursor() {
  const at = sampleAt(cursor);
  document.getElementById("cursor-at").textContent = `x = ${cursor.toFixed(2).replace("-", "\u2212")}`;
  const slider = document.getElementById("cursor");
  slider.value = cursor;
  slider.setAttribute("aria-valuetext", `x = ${cursor.toFixed(2)}`);
  for (const kind of KINDS) {
    const { drawn } = views.get(explorerBox(kind));
    if (!drawn) continue;
    const { svg, plot, x, y } = drawn;
    svg.querySelector(".cursor-marks")?.remove();
    const layer = add(svg, "g", { class: "cursor-marks" });
    add(layer, "path", { class: "cursor-line", d: upright(x.at(cursor), plot.top, plot.bottom) });
    for (const k of shown) {
      const value = data.explorer.functions[k][kind]?.[at] ?? null;
      if (value === null || value < y.limits[0] || value > y.limits[1]) continue;
      const dot = seriesGroup(layer, k);
      add(dot, "circle", { class: "dot", cx: placed(x.at(cursor)), cy: placed(y.at(value)), r: 4 });
    }
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
      const { drawn } = views.get(box);
      if (drawn) moveCursor(drawn.x.value(event.clientX - box.getBoundingClientRect().left));
    };
    box.addEventListener("pointermove", follow);
    box.addEventListener("pointerdown", follow); // a tap
  }
}
