// Heat maps of what activations did: layer by epoch, one scale for all of a workload.

// viridis, as in the figures
const COLORS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779",
  "#6ece58", "#b5de2b", "#fde725"];
const CELL_TICKS = 5; // of epochs below a map, at most

/** The colour of a share of the scale, from 0 to 1. */
function colorAt(share) {
  const place = Math.min(Math.max(share, 0), 1) * (COLORS.length - 1);
  const below = Math.min(Math.floor(place), COLORS.length - 2);
  const [from, to] = [COLORS[below], COLORS[below + 1]];
  const channel = (color, k) => parseInt(color.slice(k, k + 2), 16);
  const mixed = [1, 3, 5].map((k) => Math.round(channel(from, k) + (place - below) * (channel(to, k) - channel(from, k))));
  return `rgb(${mixed.join(",")})`;
}

/** Draws a map of layers by epochs; returns its cells that have a value, by rows. */
function drawMap(box, maps, panel) {
  const [width, height] = [box.clientWidth, box.clientHeight];
  box.querySelector("svg")?.remove();
  if (!width) return [];
  const svg = add(box, "svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMidYMin meet", "aria-hidden": "true" });
  const room = width / 3;
  const left = Math.min(room, Math.max(...maps.rows.map((row) => textWidth(row)))) + 8;
  const [right, top, bottom] = [width - 8, 4, height - 40];
  const columns = panel.values[0].length;
  const [wide, high] = [(right - left) / columns, (bottom - top) / maps.rows.length];
  const scale = scaleOf(maps.scale.scale === "log", maps.scale.limits, [0, 1]);
  const gap = wide > 6 ? 1 : 0;
  const groups = panel.values.map((values, row) =>
    values.flatMap((value, column) => {
      const cell = { x: left + column * wide, y: top + row * high, width: wide, height: high };
      const isDrawn = value !== null && !(maps.scale.scale === "log" && value <= 0);
      add(svg, "rect", { class: isDrawn ? "cell" : "cell empty", x: placed(cell.x), y: placed(cell.y),
        width: placed(wide - gap), height: placed(high - 1), fill: isDrawn ? colorAt(scale.at(value)) : undefined });
      if (value === null) return [];
      const words = [`${maps.rows[row]}, epoch ${column + 1}`, reading(maps.scale, value)];
      return [{ box, cell, x: cell.x + wide / 2, y: cell.y, lines: [panel.title, ...words] }];
    }));
  maps.rows.forEach((row, k) => {
    add(svg, "text", { class: "row", x: left - 6, y: placed(top + (k + 0.5) * high + 4), "text-anchor": "end" }, fitted(row, left - 8));
  });
  for (const epoch of linearTicks([1, columns], Math.min(CELL_TICKS, width / 50), true)) {
    add(svg, "text", { class: "tick", x: placed(left + (epoch - 0.5) * wide), y: bottom + 15, "text-anchor": "middle" }, number(epoch));
  }
  add(svg, "text", { class: "title", x: placed((left + right) / 2), y: bottom + 32, "text-anchor": "middle" }, maps.x);
  return groups;
}

function drawHealth() {
  const section = workloadSection();
  const scale = section.querySelector("[data-scale]");
  if (!scale) return; // it was not recorded
  const maps = data.workloads[current].health[chosen("health")];
  const [left, bar, right] = scale.children;
  [left.textContent, right.textContent] = maps.scale.limits.map((end) => reading(maps.scale, end));
  bar.style.background = `linear-gradient(to right, ${COLORS.join(",")})`;
  section.querySelector("[data-folded]").textContent = maps.folded ?? "";
  const groups = [];
  for (const map of all("[data-map]", section)) {
    const panel = maps.panels.find(({ of }) => of === Number(map.dataset.map));
    map.hidden = !panel || !shown.has(panel.of);
    if (map.hidden) continue;
    map.querySelector(".chart-title").textContent = panel.title;
    groups.push(...drawMap(map.querySelector(".chart"), maps, panel));
  }
  makeMapsReadable(section.querySelector(".maps"), groups.filter((cells) => cells.length));
}

/** The maps of a workload are read as one: by keyboard, on from the last row of one to the next. */
function makeMapsReadable(root, groups) {
  const isNew = !views.has(root);
  views.set(root, { groups, current: null });
  if (!isNew) return;
  root.tabIndex = 0;
  const read = (hit) => {
    const view = views.get(root);
    if (view.current) hideTip(view.current.box);
    view.current = hit;
    if (hit) showTip(hit.box, hit);
  };
  const readAt = (event) => {
    const box = event.target.closest(".chart");
    if (!box) return read(null);
    const { left, top } = box.getBoundingClientRect();
    const own = views.get(root).groups.map((cells) => cells.filter((hit) => hit.box === box));
    return read(hitAt(own, event.clientX - left, event.clientY - top, 0));
  };
  root.addEventListener("pointermove", (event) => event.pointerType !== "touch" && readAt(event));
  root.addEventListener("pointerdown", readAt);
  root.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && read(null));
  root.addEventListener("blur", () => read(null));
  root.addEventListener("keydown", (event) => {
    if (!KEYS.includes(event.key)) return;
    event.preventDefault();
    read(stepFrom(views.get(root).groups, views.get(root).current, event.key));
  });
}
