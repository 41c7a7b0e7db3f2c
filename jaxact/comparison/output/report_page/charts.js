// Which chart stands in which box, by what is chosen.

/** The charts of the workload that is shown: curves as its switches have them, the others as they are. */
function drawCurves() {
  const section = workloadSection();
  const variant = `${chosen("split") ?? "eval"}-${chosen("x") ?? "epoch"}`;
  const isClose = chosen("range") === "near";
  for (const box of all("[data-chart=accuracy], [data-chart=loss]", section)) {
    show(box, data.workloads[current].curves[box.dataset.chart][variant], { isClose });
  }
}

function drawOthers() {
  for (const box of all("[data-chart=error], [data-chart=times], [data-chart=reached]", workloadSection())) {
    show(box, data.workloads[current].charts[box.dataset.chart]);
  }
  const profile = document.getElementById("profile");
  if (profile) show(profile, data.profile);
}
