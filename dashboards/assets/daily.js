// The two daily charts: a topic's labels, and all topics. Dashes and symbols tell the lines apart.
const LABELS = {
  toxicity: "Toxicity", severe_toxicity: "Severe toxicity", obscene: "Obscene", threat: "Threat",
  insult: "Insult", identity_attack: "Identity attack", sexual_explicit: "Sexually explicit",
};
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star"];
const dates = (start, n) => Array.from({ length: n }, (_, i) => (start + i) * DAY);
const HOVER_DAY = "%a %-d %b %Y (UTC)";

function line(i, c, x, y, name, tick) {
  const every = Math.max(1, Math.round(x.length / 12));
  return {
    x, y, name, mode: "lines+markers", line: { color: c["s" + i], width: 1.8, dash: DASHES[i] },
    marker: { color: c["s" + i], symbol: SYMBOLS[i], size: 7, maxdisplayed: Math.ceil(x.length / every) },
    hovertemplate: `%{y:${tick}}`,
  };
}

function drawLabels(topic) {
  byId("labels-note").textContent = "";
  if (!topic.labels) return empty("labels-chart", "No label scores for this topic.");
  const c = colours();
  const traces = Object.entries(topic.labels.series).map(([label, values], i) =>
    line(i, c, dates(topic.labels.start, values.length), values.map((v) => (v === null ? null : v / SCALE)), LABELS[label] ?? label, ".4f"));
  byId("labels-note").textContent = `Mean probability of each label in ${topic.name}, logarithmic scale.`;
  draw("labels-chart", traces, { xaxis: { hoverformat: HOVER_DAY }, yaxis: { type: "log", tickformat: ".1~r", dtick: "D2" } },
    `Mean of each label in ${topic.name} by day: ${traces.map((t) => t.name).join(", ")}.`);
}

// Six topics have lines of their own; more are thin and grey, and named on hover.
function drawCompare() {
  const metric = state.metric, { name, tick, unit } = METRICS[metric], c = colours();
  const drawn = page.topics.map((topic, i) => ({ ...topic, i })).filter((t) => t.daily && has(t.daily[metric]));
  byId("compare-note").textContent = "";
  if (!drawn.length) return empty("compare-chart", "No scored posts, so there is nothing to compare.");
  const lead = new Set(drawn.slice(0, 6).map((t) => t.i));
  if (drawn.some((t) => t.i === state.topic)) lead.add(state.topic);
  let own = 0;
  const traces = drawn.map(({ i, name: topic, daily }) => {
    const x = dates(daily.start, daily.posts.length), y = daily[metric].map((v) => (v === null ? null : v / unit));
    const trace = line(lead.has(i) ? own++ : 0, c, x, y, plain(short(topic, narrow.matches ? 16 : 28)), tick === ".2f" ? ".3f" : ".1%");
    if (!lead.has(i)) Object.assign(trace, { mode: "lines", line: { color: c.mute, width: 1 }, opacity: 0.5, showlegend: false });
    if (i === state.topic) trace.line.width = 3.5;
    return trace;
  });
  const rest = drawn.length - lead.size;
  byId("compare-note").textContent = `${name}; the thick line is ${page.topics[state.topic].name}.` +
    (rest > 0 ? ` ${count(rest)} more topics are grey lines.` : "");
  draw("compare-chart", traces, {
    xaxis: { hoverformat: HOVER_DAY }, yaxis: { tickformat: tick }, hovermode: drawn.length > 7 ? "closest" : "x unified",
  }, `${name} by day of ${drawn.length} topics; the table in the overview has their totals.`);
}
