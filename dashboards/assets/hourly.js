// The two charts of a topic over time: a score with its incidents, and posts; both with the coming week.
const SEVERITY = { info: 9, warning: 12, critical: 15 };
const CHARTS = ["score-chart", "posts-chart"];

const times = (start, n) => Array.from({ length: n }, (_, i) => start + i * HOUR);
const shown = (xs) => xs.map(toZone);

// Mean of the last 24 hours at each hour, weighted by scored posts; null where too few stand behind it.
function dayMean(values, weights) {
  const out = [];
  let sum = 0, weight = 0;
  const part = (i) => (values[i] === null ? 0 : values[i] * weights[i]);
  const share = (i) => (values[i] === null ? 0 : weights[i]);
  for (let i = 0; i < values.length; i++) {
    sum += part(i); weight += share(i);
    if (i >= 24) { sum -= part(i - 24); weight -= share(i - 24); }
    out.push(i >= 23 && weight >= LEAST_POSTS ? sum / weight : null);
  }
  return out;
}

// Values that have no neighbour: a line alone would not show them.
const lonely = (values) =>
  values.map((v, i) => (v !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? v : null));

const bandName = (level) => level + " % band", OUTER = bandName(95);

function bands(forecast, unit, c) {
  const x = shown(times(forecast.start, forecast.expected.length));
  const scaled = (name) => forecast[name].map((v) => v / unit);
  const edge = { x, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
  const band = (level, colour) => [
    { ...edge, y: scaled("lower_" + level) },
    { ...edge, y: scaled("upper_" + level), fill: "tonexty", fillcolor: colour, name: bandName(level), showlegend: true },
  ];
  return [...band(95, c["band-95"]), ...band(80, c["band-80"])];
}

function forecastLine(forecast, unit, c, fine) {
  return {
    x: shown(times(forecast.start, forecast.expected.length)), y: forecast.expected.map((v) => v / unit),
    customdata: forecast.lower_95.map((v, i) => [v / unit, forecast.upper_95[i] / unit]),
    name: "Forecast", mode: "lines", line: { color: c.accent, width: 2, dash: "dot" },
    hovertemplate: `%{y:${fine}} (95 %: %{customdata[0]:${fine}}–%{customdata[1]:${fine}})`,
  };
}

// Shape tells the direction, size the severity, the number the incident in the list below.
function markers(topic, metric, unit, c, fine) {
  const series = [];
  for (const [direction, symbol, colour, position] of [["up", "triangle-up", c.high, "top center"], ["down", "triangle-down", c.low, "bottom center"]]) {
    const points = topic.incidents.flatMap((incident) => {
      const hours = incident.hours.filter((h) => h.metric === metric && h.direction === direction);
      const ends = hours.map((h) => h.observed);
      const end = direction === "up" ? Math.max(...ends) : Math.min(...ends);
      const labelled = ends.indexOf(end);
      return hours.map((h, i) => ({ ...h, number: incident.number, labelled: i === labelled }));
    });
    if (!points.length) continue;
    series.push({
      x: shown(points.map((p) => p.hour)), y: points.map((p) => p.observed / unit),
      name: direction === "up" ? "Anomaly above" : "Anomaly below",
      mode: "markers+text", text: points.map((p) => (p.labelled ? String(p.number) : "")), textposition: position,
      textfont: { color: colour, size: 13, weight: 700 }, cliponaxis: false,
      marker: { symbol, color: colour, opacity: 1, size: points.map((p) => SEVERITY[p.severity] ?? 10), line: { color: c.surface, width: 1 } },
      customdata: points.map((p) => [p.number, plain(p.severity), p.expected / unit, p.lower / unit, p.upper / unit, p.detector.startsWith("retro") ? ", judged afterwards" : ""]),
      hovertemplate: `no. %{customdata[0]}, %{customdata[1]}: %{y:${fine}}, expected %{customdata[2]:${fine}} (%{customdata[3]:${fine}}–%{customdata[4]:${fine}})%{customdata[5]}`,
    });
  }
  return series;
}

const forecastOf = (topic, metric) => (state.forecast ? topic.forecast[metric] : undefined);

function xRange(topic) {
  const [from, to] = sight(topic);
  if (state.zoom) return [from, to];
  const ends = Object.keys(topic.forecast).map((metric) => forecastOf(topic, metric)).filter(Boolean).map((f) => f.start + f.expected.length * HOUR);
  // What is forecast never takes more of the chart than what was observed.
  return [from, Math.max(to, Math.min(Math.max(to, ...ends), to + (to - from)))];
}

// What lies behind the lines: hours that nobody judged, gaps, known events, the open span, the present.
function backdrop(topic, c) {
  const shapes = [], annotations = [];
  const area = (from, to, colour, more = {}) =>
    shapes.push({ type: "rect", xref: "x", yref: "paper", x0: toZone(from), x1: toZone(to), y0: 0, y1: 1, fillcolor: colour, line: { width: 0 }, layer: "below", ...more });
  for (const { status, from, to } of judgedRuns(topic)) {
    if (status === "unjudged") area(from, to, c.unjudged, { name: "unjudged" });
    if (status === "gap") area(from, to, c.gap, { name: "gap" });
  }
  for (const event of topic.events) {
    area(event.start, event.end, c.event, { name: "event", line: { width: 1, color: c.mute } });
    annotations.push({ x: toZone(event.start), y: 1, xref: "x", yref: "paper", xanchor: "left", yanchor: "top", showarrow: false, text: plain(short(event.title, narrow.matches ? 14 : 30)), font: { size: 11, color: c.soft }, bgcolor: c.surface });
  }
  const [left, right] = sight(topic);
  if (state.opened && state.opened[1] - state.opened[0] < 0.9 * (right - left)) area(state.opened[0], state.opened[1], c["band-80"], { name: "opened" });
  if (state.forecast && Object.keys(topic.forecast).length) {
    const at = toZone(topic.hourly.start + topic.hourly.posts.length * HOUR);
    shapes.push({ type: "line", xref: "x", yref: "paper", x0: at, x1: at, y0: 0, y1: 1, line: { color: c.mute, width: 1, dash: "dash" } });
  }
  return { shapes, annotations };
}

const FEW = "Fewer than 10 posts";

// From 0 to just above the greatest value in sight: a spike months ago must not flatten this week,
// nor a share of one post the shares of hundreds, nor a wide outer band what was observed.
function yRange(traces, [from, to], ceiling = Infinity) {
  let most = 0, outer = 0, few = 0;
  const left = toZone(from), right = toZone(to);
  for (const { x, y, name } of traces) {
    for (let i = 0; i < x.length; i++) {
      if (x[i] < left || x[i] > right) continue;
      if (name === OUTER) outer = Math.max(outer, y[i]);
      else if (name === FEW) few = Math.max(few, y[i]);
      else if (y[i] > most) most = y[i];
    }
  }
  most ||= few;
  return [0, Math.min(ceiling, 1.12 * Math.max(most, Math.min(outer, 1.4 * most))) || 1];
}

// Weighs by the posts that are forecast: an hour without posts has no share.
function meanOf(topic, metric, forecast) {
  const posts = metric === "posts" ? null : topic.forecast.posts?.expected;
  let sum = 0, weight = 0;
  forecast.expected.forEach((v, i) => {
    const w = posts ? posts[i] ?? 0 : 1;
    sum += v * w; weight += w;
  });
  return weight ? sum / weight : forecast.expected.reduce((a, b) => a + b, 0) / forecast.expected.length;
}

// The forecast in a sentence, for those who cannot or will not read the chart.
function forecastText(topic, metric) {
  const forecast = topic.forecast[metric];
  if (!forecast) {
    const why = topic.why_no_forecast[metric] ?? topic.why_no_forecast.posts;
    return why ? capital(why) + "." : "No forecast for this measure.";
  }
  const { format } = METRICS[metric];
  const top = forecast.expected.reduce((best, v, i) => (v > forecast.expected[best] ? i : best), 0);
  const risk = forecast.p_anomaly.reduce((best, v, i) => (v !== null && v > (forecast.p_anomaly[best] ?? -1) ? i : best), 0);
  const at = (i) => weekHourText(forecast.start + i * HOUR);
  let text = `Coming ${Math.round(forecast.expected.length / 24)} days: ${format(meanOf(topic, metric, forecast))} on average; highest expected ${format(forecast.expected[top])} ` +
    `(95 % band ${format(forecast.lower_95[top])} to ${format(forecast.upper_95[top])}) on ${at(top)}.`;
  if (forecast.p_anomaly[risk] !== null) text += ` Greatest chance that an hour will be flagged: ${percent(forecast.p_anomaly[risk])}, ${at(risk)}.`;
  return text + ` Method: ${forecast.method.replaceAll("_", " ")}.`;
}

function anomalyText(topic, metric) {
  const hours = topic.incidents.flatMap((e) => e.hours).filter((h) => h.metric === metric);
  const [from, to] = sight(topic), inSight = hours.filter((h) => h.hour >= from && h.hour < to).length;
  const text = hours.length === 0 ? "no anomalous hours" : some(hours.length, "anomalous hour", "anomalous hours");
  return hours.length > inSight ? `${text}, ${count(inSight)} of them in sight` : text;
}

const perStep = (step) => (step === 5 ? "per 5 minutes" : `per ${NAMES[step]}`);
const byStep = (step) => (step === 5 ? "by 5 minutes" : `by ${NAMES[step]}`);

function shading(topic) {
  const found = new Set(judgedRuns(topic).map((run) => run.status));
  const parts = [];
  if (found.has("unjudged")) parts.push("Shaded: hours that were not judged.");
  if (found.has("gap")) parts.push("Darker: gaps of the collection, of which nothing is known.");
  return parts.join(" ");
}

function drawScore(topic) {
  const metric = state.metric, { name, fine, unit } = METRICS[metric];
  byId("score-forecast").textContent = "";
  byId("score-note").textContent = "";
  byId("score-title").textContent = name;
  const values = topic.hourly ? topic.hourly[metric] : [];
  if (!has(values)) return empty("score-chart", "No scored posts of this topic, so there is nothing to draw.");
  const c = colours(), s = seriesOf(topic), x = shown(s.x), forecast = forecastOf(topic, metric), range = xRange(topic);
  byId("score-title").textContent = `${name} ${byStep(s.step)}${forecast ? ", and the coming week" : ""}`;
  const enough = s[metric].map((v, i) => (v !== null && s.scored[i] >= LEAST_POSTS ? v / unit : null));
  const few = s[metric].map((v, i) => (v !== null && s.scored[i] < LEAST_POSTS ? v / unit : null));
  const alone = lonely(enough), of = s.scored.map((n) => [n]), hover = `%{y:${fine}} of %{customdata[0]:,} posts`;
  const traces = [];
  if (forecast) traces.push(...bands(forecast, unit, c));
  traces.push({ x, y: enough, customdata: of, name: capital(NAMES[s.step]), mode: "lines", line: { color: c.accent, width: s.step === 60 ? 1 : 1.6 }, opacity: s.step === 60 ? 0.55 : 1, hovertemplate: hover });
  if (has(alone)) traces.push({ x, y: alone, mode: "markers", marker: { color: c.accent, size: 4 }, opacity: 0.7, hoverinfo: "skip", showlegend: false });
  if (has(few)) traces.push({ x, y: few, customdata: of, name: FEW, mode: "markers", marker: { color: c.mute, size: 3, symbol: "circle-open" }, opacity: 0.6, hovertemplate: hover });
  if (s.step === 60) traces.push({ x, y: dayMean(s[metric].map((v) => (v === null ? null : v / unit)), s.scored), name: "24-hour mean", mode: "lines", line: { color: c.accent, width: 2.5 }, hovertemplate: `%{y:${fine}}` });
  if (forecast) traces.push(forecastLine(forecast, unit, c, fine));
  traces.push(...markers(topic, metric, unit, c, fine));
  byId("score-note").textContent = capital(anomalyText(topic, metric)) +
    (topic.incidents.length ? ", numbered as in the list below" : "") + `. Times are ${zoneName()}. ` + shading(topic) +
    (topic.hourly.cut ? " The last 400 days of hours are shown." : "");
  byId("score-forecast").textContent = forecastText(topic, metric);
  const reach = yRange(traces, range, 1.04);
  draw("score-chart", traces, { xaxis: { range: shown(range) }, yaxis: { tickformat: tickOf(metric, reach[1]), range: reach }, ...backdrop(topic, c) },
    `${name} of ${topic.name} ${byStep(s.step)}; ${anomalyText(topic, metric)}. ${forecastText(topic, metric)}`);
}

function drawPosts(topic) {
  byId("posts-forecast").textContent = "";
  byId("posts-note").textContent = "";
  if (!topic.hourly) return empty("posts-chart", "No posts of this topic.");
  const c = colours(), s = seriesOf(topic), forecast = s.step === 60 ? forecastOf(topic, "posts") : undefined;
  byId("posts-title").textContent = `Posts ${perStep(s.step)}`;
  const traces = forecast ? bands(forecast, 1, c) : [], range = xRange(topic);
  // An hour of a gap is no hour without posts: nobody looked.
  const posts = s.posts.map((n, i) => (n === 0 && inGap(topic, s.x[i]) ? null : n));
  traces.push({ x: shown(s.x), y: posts, name: "Posts", mode: "lines", line: { color: c.accent, width: 1, shape: "hvh" }, fill: "tozeroy", fillcolor: c["band-95"], hovertemplate: "%{y:,}" });
  if (forecast) traces.push(forecastLine(forecast, 1, c, ",.0f"));
  if (s.step === 60) traces.push(...markers(topic, "posts", 1, c, ",.0f"));
  byId("posts-note").textContent = capital(anomalyText(topic, "posts")) + ". Click an hour, or drag over several, to open its posts.";
  byId("posts-forecast").textContent = forecastText(topic, "posts");
  draw("posts-chart", traces, { xaxis: { range: shown(range) }, yaxis: { tickformat: ",~r", range: yRange(traces, range) }, ...backdrop(topic, c) },
    `Posts of ${topic.name} ${perStep(s.step)}; ${anomalyText(topic, "posts")}. ${forecastText(topic, "posts")}`);
}

function drawCharts(topic) {
  byId("judged").textContent = topic.judged_text ? capital(topic.judged_text) + "." : "";
  byId("forecast-box").hidden = !Object.keys(topic.forecast).length;
  drawScore(topic);
  drawPosts(topic);
  linkCharts();
}

// Plotly gives times back as text in UTC, without saying so.
const moment = (at) => (typeof at === "number" ? at : Date.parse(at.replace(" ", "T") + (at.length > 10 ? "Z" : "")));

// A click on a marker goes to its incident, any other click opens its hour; a drag opens its span and
// brings it into sight in both charts.
function linkCharts() {
  for (const id of CHARTS) {
    const box = byId(id);
    if (!box.on || box.linked) continue;
    box.linked = true;
    box.on("plotly_click", ({ points }) => {
      const point = points.find((p) => p.data.mode === "markers+text");
      if (point) return goToIncident(point.customdata[0]);
      const at = fromZone(moment(points[0].x)), step = stepOf(topicAt(state.topic)) * MINUTE;
      openSpan(at - at % HOUR, Math.max(at - at % HOUR + HOUR, at + step));
    });
    box.on("plotly_relayout", (change) => {
      const topic = topicAt(state.topic);
      if (!topic?.hourly) return;
      if ("xaxis.range[0]" in change) zoomTo(fromZone(moment(change["xaxis.range[0]"])), fromZone(moment(change["xaxis.range[1]"])));
      else if (change["xaxis.autorange"]) zoomTo(null);
    });
  }
}

function zoomTo(from, to) {
  const topic = topicAt(state.topic);
  const all = from === null || (Math.abs(from - xRange(topic)[0]) < HOUR && Math.abs(to - xRange(topic)[1]) < HOUR && !state.zoom);
  state.zoom = all ? null : [from, to];
  if (all) { writeAddress(); return drawCharts(topic); }
  const start = topic.hourly.start, end = start + topic.hourly.posts.length * HOUR;
  const left = Math.max(start, Math.floor(from / HOUR) * HOUR), right = Math.min(end, Math.ceil(to / HOUR) * HOUR);
  drawCharts(topic);
  if (right > left) openSpan(left, right, { quiet: true });
  writeAddress();
}
