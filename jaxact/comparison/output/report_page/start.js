// Starts the page: draws what is shown, and draws again when a choice or the light changes.

function redraw() {
  drawCurves();
  drawErrors();
  drawTimes();
  drawReached();
  drawProfile();
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

function setPrinting(begins) {
  printing = begins;
  redraw();
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
for (const [prefix, drawAgain] of [["x-", drawCurves], ["split-", drawCurves], ["range-", drawCurves], ["health-", drawHealth]]) {
  for (const input of all(`input[name^="${prefix}"]`)) input.addEventListener("change", drawAgain);
}
darkScheme.addEventListener("change", redraw);
addEventListener("resize", showCursor);
addEventListener("beforeprint", () => setPrinting(true));
addEventListener("afterprint", () => setPrinting(false));
redraw();
