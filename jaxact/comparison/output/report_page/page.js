// Data, state, and what all charts share: theme, escaping, legends.

const data = JSON.parse(document.getElementById("data").textContent);
const shown = new Set(data.series.map((_, k) => k)); // activations in the charts, by position
const darkScheme = matchMedia("(prefers-color-scheme: dark)");
const coarsePointer = matchMedia("(pointer: coarse)");
let printing = false;
let current = 0; // the workload that is shown

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const workloadSection = () => document.querySelector(`[data-workload="${current}"]`);

/** Plotly reads a little HTML in every text, and TeX between $: names are to be shown as they are. */
function plain(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("$", "&#36;");
}

function theme() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    dark: darkScheme.matches && !printing,
    paper: printing ? "#ffffff" : read("--paper"),
    ink: printing ? "#000000" : read("--ink"),
    muted: printing ? "#444444" : read("--muted"),
    grid: printing ? "#dddddd" : read("--grid"),
    font: getComputedStyle(document.body).fontFamily,
  };
}

const colorOf = (item) => (theme().dark ? item.dark : item.light);

function translucent(color, opacity) {
  const channel = (k) => parseInt(color.slice(k, k + 2), 16);
  return `rgba(${channel(1)},${channel(3)},${channel(5)},${opacity})`;
}

function axis(title, more = {}, font = {}) {
  const { muted, grid } = theme();
  return {
    title: { text: title, standoff: 8, font: { color: muted, size: 13, ...font } },
    color: muted,
    gridcolor: grid,
    linecolor: grid,
    zeroline: false,
    ...more,
  };
}

/** Draws or redraws a chart in its box, whose height the page has set. */
function draw(box, traces, layout, config = {}) {
  const { paper, ink, font } = theme();
  return Plotly.react(
    box,
    traces,
    {
      paper_bgcolor: paper,
      plot_bgcolor: paper,
      font: { family: font, size: 13, color: ink },
      margin: { l: 64, r: 14, t: 10, b: 48 },
      showlegend: false,
      hovermode: "closest",
      hoverlabel: { bgcolor: paper, bordercolor: ink, font: { color: ink }, align: "left" },
      dragmode: coarsePointer.matches ? false : "zoom", // a finger is to scroll the page
      width: printing ? Math.min(box.clientWidth, 640) : undefined,
      height: box.clientHeight,
      ...layout,
    },
    { displayModeBar: false, responsive: true, ...config },
  );
}

const number = (value, digits = 4) =>
  value === null || value === undefined ? "N/A" : String(Number(value.toPrecision(digits)));

/** The value of a switch of a workload, such as "epoch" of the x axis's. */
function chosen(name) {
  return workloadSection().querySelector(`input[name="${name}-${current}"]:checked`)?.value;
}

function sortBy(header, direction) {
  const table = header.closest("table");
  const column = [...header.parentNode.children].indexOf(header);
  const body = table.tBodies[0];
  const key = (row) => row.cells[column].dataset.value;
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...body.rows].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === "" || b === "") return (a === "") - (b === ""); // what is missing stands last
    if (column === 0) return sign * a.localeCompare(b, "en", { numeric: true });
    return sign * (Number(a) - Number(b));
  });
  body.append(...rows);
  for (const other of header.parentNode.children) other.setAttribute("aria-sort", "none");
  header.setAttribute("aria-sort", direction);
}

function makeSortable() {
  for (const button of all(".sortable th button")) {
    button.addEventListener("click", () => {
      const header = button.parentNode;
      const ascending = header.getAttribute("aria-sort") === "ascending";
      sortBy(header, ascending ? "descending" : "ascending");
    });
  }
}

/** Every legend shows and changes the same choice. */
function showChoice() {
  for (const button of all("[data-series]:not([data-series=all])")) {
    button.setAttribute("aria-pressed", String(shown.has(Number(button.dataset.series))));
  }
}

function makeLegends(redraw) {
  for (const button of all("[data-series]")) {
    button.addEventListener("click", () => {
      const which = button.dataset.series;
      if (which === "all") {
        const fill = shown.size < data.series.length;
        shown.clear();
        if (fill) data.series.forEach((_, k) => shown.add(k));
      } else if (!shown.delete(Number(which))) {
        shown.add(Number(which));
      }
      showChoice();
      redraw();
    });
  }
}
