// The two daily charts: a topic's labels, and all topics. Dashes and symbols tell the lines apart.
const LABELS = {
  toxicity: "Toxicity", severe_toxicity: "Severe toxicity", obscene: "Obscene", threat: "Threat",
  insult: "Insult", identity_attack: "Identity attack", sexual_explicit: "Sexually explicit",
};
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star"];
const dates = (start, n) => Array.from({ length: n }, (_, i) => (start + i) * DAY);
const HOVER_DAY = "%a %-d %b %Y (UTC)";

function line(colour, dash, c, x, y, name, tick) {
  const every = Math.max(1, Math.round(x.length / 12));
  return {
    x, y, name, mode: "lines+markers", line: { color: c["s" + colour], width: 1.8, dash: DASHES[dash] },
    marker: { color: c["s" + colour], symbol: SYMBOLS[dash], size: 7, maxdisplayed: Math.ceil(x.length / every) },
    hovertemplate: `%{y:${tick}}`,
  };
}

function drawLabels(topic) {
  byId("labels-note").textContent = "";
  if (!topic.labels) return empty("labels-chart", "No label scores for this topic.");
  const c = colours();
  const traces = Object.entries(topic.labels.series).map(([label, values], i) =>
    line(i, i, c, dates(topic.labels.start, values.length), values.map((v) => (v === null ? null : v / SCALE)), LABELS[label] ?? label, ".4f"));
  byId("labels-note").textContent = `Mean probability of each label in ${topic.name}, logarithmic scale.`;
  draw("labels-chart", traces, { xaxis: { hoverformat: HOVER_DAY }, yaxis: { type: "log", tickformat: ".1~r", dtick: "D2" } },
    `Mean of each label in ${topic.name} by day: ${traces.map((t) => t.name).join(", ")}.`);
}

// A topic's look follows from its name, so that it keeps it while others come and go.
function lookOf(name) {
  let hash = 2166136261;
  for (const letter of name) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619) >>> 0;
  return [hash % 7, Math.floor(hash / 7) % 7];
}

// Six topics have lines of their own; more are thin and grey, and named on hover.
function drawCompare() {
  const metric = state.metric, { name, fine, unit } = METRICS[metric], c = colours();
  const days = { ...page.compare };
  const own = topicAt(state.topic);
  if (own?.daily) days[state.topic] = own.daily;
  const drawn = Object.entries(days).map(([i, daily]) => ({ i: Number(i), name: page.topics[i].name, daily }))
    .filter((t) => t.daily && has(t.daily[metric])).sort((a, b) => a.i - b.i);
  byId("compare-note").textContent = "";
  if (!drawn.length) return empty("compare-chart", "No scored posts, so there is nothing to compare.");
  const busiest = [...drawn].sort((a, b) => page.topics[b.i].posts - page.topics[a.i].posts || a.i - b.i);
  const lead = new Set(busiest.slice(0, 6).map((t) => t.i));
  if (drawn.some((t) => t.i === state.topic)) lead.add(state.topic);
  let most = 0;
  const traces = drawn.map(({ i, name: topic, daily }) => {
    const x = dates(daily.start, daily.posts.length), y = daily[metric].map((v) => (v === null ? null : v / unit));
    const of = daily.scored.map((n) => [n]), [colour, dash] = lookOf(topic);
    const trace = line(colour, dash, c, x, y, plain(short(topic, narrow.matches ? 16 : 28)), fine);
    trace.customdata = of;
    trace.hovertemplate = `%{y:${fine}} of %{customdata[0]:,} posts`;
    if (!lead.has(i)) Object.assign(trace, { mode: "lines", line: { color: c.mute, width: 1 }, opacity: 0.5, showlegend: false });
    if (i === state.topic) trace.line.width = 3.5;
    trace.marker.opacity = daily.scored.map((n) => (n < LEAST_POSTS ? 0.25 : 1));
    most = Math.max(most, ...y.filter((v, j) => v !== null && daily.scored[j] >= LEAST_POSTS));
    return trace;
  });
  const rest = page.topics.length - lead.size;
  byId("compare-note").textContent = `${name} by day (UTC); the thick line is ${page.topics[state.topic].name}; faint points: fewer than ${LEAST_POSTS} posts.` +
    (rest > 0 ? ` ${count(rest)} more topics are grey lines${page.topics.length > drawn.length ? " or in the overview alone" : ""}.` : "");
  const reach = 1.12 * most || undefined;
  draw("compare-chart", traces, {
    xaxis: { hoverformat: HOVER_DAY }, yaxis: { tickformat: tickOf(metric, reach ?? 1), ...(reach ? { range: [0, reach] } : {}) }, hovermode: drawn.length > 7 ? "closest" : "x unified",
  }, `${name} by day of ${drawn.length} topics; the table in the overview has their totals.`);
}
