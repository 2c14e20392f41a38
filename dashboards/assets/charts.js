// What all charts share: colours from the style sheet, axes, drawing, the empty state.
function colours() {
  const style = getComputedStyle(document.documentElement);
  return new Proxy({}, { get: (_, name) => style.getPropertyValue("--" + name).trim() });
}

const narrow = matchMedia("(max-width: 40rem)");
const CONFIG = { responsive: true, displayModeBar: false, showTips: false };
const DATE_TICKS = [
  { dtickrange: [null, 43200000], value: "%H:%M\n%-d %b" },
  { dtickrange: [43200001, "M1"], value: "%-d %b" },
  { dtickrange: ["M1", null], value: "%b %Y" },
];

function layout(more) {
  const c = colours();
  const axis = {
    gridcolor: c.grid, linecolor: c.line, zeroline: false, automargin: true, fixedrange: true,
    tickfont: { color: c.soft, size: 12 },
  };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, color: c.ink, size: 13 },
    margin: { l: 8, r: 12, t: 8, b: 8 },
    hovermode: "x unified", hoverlabel: { bgcolor: c.surface, bordercolor: c.line, font: { color: c.ink }, namelength: 40 },
    legend: {
      orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 12 },
      ...(narrow.matches ? { entrywidthmode: "fraction", entrywidth: 0.48 } : {}),
    },
    annotations: [],
    // A finger must be able to scroll past a chart.
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    ...more,
    xaxis: { ...axis, type: "date", showgrid: false, tickformatstops: DATE_TICKS, hoverformat: `%a %-d %b %Y, %H:%M ${zoneName()}`, fixedrange: false, ...more.xaxis },
    yaxis: { ...axis, rangemode: "tozero", nticks: 6, ...more.yaxis },
  };
}

function draw(id, traces, figure, label) {
  const box = byId(id);
  box.classList.remove("empty");
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", label);
  if (!box.data) box.replaceChildren();
  offerDownloads(box, label);
  const drawn = Plotly.react(box, traces, layout(figure), CONFIG);
  byId("js-plotly-tester").setAttribute("aria-hidden", "true");
  return drawn;
}

function empty(id, text) {
  const box = byId(id);
  if (box.data) Plotly.purge(box);
  box.classList.add("empty");
  offerDownloads(box, null);
  box.removeAttribute("role");
  box.removeAttribute("aria-label");
  box.replaceChildren(el("p", { class: "empty" }, text));
}
