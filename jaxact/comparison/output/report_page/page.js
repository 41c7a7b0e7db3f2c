// Data, state, and what all charts share: sorting, legends.

const data = JSON.parse(document.getElementById("data").textContent);
const shown = new Set(data.series.map((_, k) => k)); // activations in the charts, by position
let current = 0; // the workload that is shown

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const workloadSection = () => document.querySelector(`[data-workload="${current}"]`);

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
