// Heat maps of what activations did: layer by epoch, one scale for all of a workload.

// viridis, as in the figures
const COLORS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779",
  "#6ece58", "#b5de2b", "#fde725"];
const COLORSCALE = COLORS.map((color, k) => [k / (COLORS.length - 1), color]);

const isShare = (measure) => measure === "dead" || measure === "saturated";

/** The values as colours are given to them: norms by their logarithm. */
function heights(grid, measure) {
  if (measure !== "gradient_norm") return grid;
  return grid.map((row) => row.map((v) => (v === null || v <= 0 ? null : Math.log10(v))));
}

function shownAs(value, measure) {
  if (value === null) return "N/A";
  return isShare(measure) ? `${number(100 * value, 3)} %` : number(value, 3);
}

function drawHealth() {
  const section = workloadSection();
  const { health } = data.workloads[current];
  if (!health) return;
  const measure = chosen("health");
  const grids = health.activations.map((found) => found && heights(found[measure], measure));
  const values = grids.flat(2).filter((v) => v !== null);
  let [low, high] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  if (isShare(measure)) [low, high] = [0, Math.max(high, 0.1)];
  const [left, bar, right] = section.querySelector("[data-scale]").children;
  const ends = (v) => (measure === "gradient_norm" ? number(10 ** v, 2) : shownAs(v, measure));
  [left.textContent, right.textContent] = values.length ? [ends(low), ends(high)] : ["none", "none"];
  bar.style.background = `linear-gradient(to right, ${COLORS.join(",")})`;
  const longest = Math.max(...health.layers.map((layer) => layer.length));
  for (const map of all("[data-map]", section)) {
    const k = Number(map.dataset.map);
    const found = health.activations[k];
    map.hidden = !shown.has(k) || !found;
    if (map.hidden) continue;
    const text = found[measure].map((row, layer) =>
      row.map((v, n) => `${plain(health.layers[layer])}<br>epoch ${found.epoch[n]}: ${shownAs(v, measure)}`),
    );
    draw(
      map.querySelector(".chart"),
      [{ type: "heatmap", x: found.epoch, y: health.layers.map((_, n) => n), z: grids[k], text,
        hoverinfo: "text", zmin: low, zmax: high, colorscale: COLORSCALE, showscale: false,
        xgap: found.epoch.length > 40 ? 0 : 1, ygap: 1 }],
      {
        dragmode: false,
        margin: { l: Math.min(16 + 6.5 * longest, 130), r: 6, t: 4, b: 46 },
        xaxis: axis("epoch", { showgrid: false, fixedrange: true, nticks: 8, tickformat: "d" }, { size: 12 }),
        yaxis: axis("", { showgrid: false, fixedrange: true, autorange: "reversed", automargin: false,
          tickvals: health.layers.map((_, n) => n), ticktext: health.layers.map(plain),
          tickfont: { size: 11 } }),
      },
    );
  }
}
