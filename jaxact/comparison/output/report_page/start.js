// Starts the page: draws what is shown, and draws again when a choice or a width changes.

function redraw() {
  drawCurves();
  drawOthers();
  drawHealth();
  drawExplorer();
}

function choose(workload) {
  current = workload;
  for (const section of all("[data-workload]")) {
    section.hidden = Number(section.dataset.workload) !== workload;
  }
  const select = document.getElementById("workload");
  if (select) select.value = String(workload);
}

/** Draws again what has another width; the light and paper are the style sheet's. */
function followWidths() {
  const widths = new Map();
  const observer = new ResizeObserver((entries) => {
    const isOther = entries.filter(({ target }) => widths.get(target) !== target.clientWidth);
    for (const { target } of isOther) widths.set(target, target.clientWidth);
    if (isOther.some(({ target }) => target.clientWidth)) redraw();
  });
  for (const box of all(".chart")) {
    widths.set(box, box.clientWidth);
    observer.observe(box);
  }
}

choose(0);
showChoice();
makeSortable();
makeLegends(redraw);
makeExplorer();
document.getElementById("workload")?.addEventListener("change", (event) => {
  choose(Number(event.target.value));
  redraw();
});
for (const link of all("[data-choose]")) {
  link.addEventListener("click", () => {
    choose(Number(link.dataset.choose));
    redraw();
  });
}
for (const [prefix, draw] of [["x-", drawCurves], ["split-", drawCurves], ["range-", drawCurves], ["health-", drawHealth]]) {
  for (const input of all(`input[name^="${prefix}"]`)) input.addEventListener("change", draw);
}
redraw();
followWidths();
