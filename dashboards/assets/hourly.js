// The two hourly charts of a topic: a score with its anomalies, and posts; both with the coming week.
const SEVERITY = { info: 9, warning: 12, critical: 15 };

const times = (start, n) => Array.from({ length: n }, (_, i) => start + i * HOUR);
const has = (values) => values.some((v) => v !== null);

// Mean of the last 24 hours at each hour, weighted by scored posts; null where there were none.
function dayMean(values, weights) {
  const out = [];
  let sum = 0, weight = 0;
  const part = (i) => (values[i] === null ? 0 : values[i] * weights[i]);
  const share = (i) => (values[i] === null ? 0 : weights[i]);
  for (let i = 0; i < values.length; i++) {
    sum += part(i); weight += share(i);
    if (i >= 24) { sum -= part(i - 24); weight -= share(i - 24); }
    out.push(i >= 23 && weight > 0 ? sum / weight : null);
  }
  return out;
}

// Values that have no neighbour: a line alone would not show them.
const lonely = (values) =>
  values.map((v, i) => (v !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? v : null));

const bandName = (level) => level + " % band", OUTER = bandName(95);

function bands(forecast, unit, c) {
  const x = times(forecast.start, forecast.expected.length);
  const scaled = (name) => forecast[name].map((v) => v / unit);
  const edge = { x, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
  const band = (level, colour) => [
    { ...edge, y: scaled("lower_" + level) },
    { ...edge, y: scaled("upper_" + level), fill: "tonexty", fillcolor: colour, name: bandName(level), showlegend: true },
  ];
  return [...band(95, c["band-95"]), ...band(80, c["band-80"])];
}

function forecastLine(forecast, unit, c, tick) {
  return {
    x: times(forecast.start, forecast.expected.length), y: forecast.expected.map((v) => v / unit),
    customdata: forecast.lower_95.map((v, i) => [v / unit, forecast.upper_95[i] / unit]),
    name: "Forecast", mode: "lines", line: { color: c.accent, width: 2, dash: "dot" },
    hovertemplate: `%{y:${tick}} (95 %: %{customdata[0]:${tick}}–%{customdata[1]:${tick}})`,
  };
}

// Shape tells the direction, size the severity, the number the episode in the list below.
function markers(topic, metric, unit, c, tick) {
  const series = [];
  for (const [direction, symbol, colour, position] of [["up", "triangle-up", c.high, "top center"], ["down", "triangle-down", c.low, "bottom center"]]) {
    const points = topic.episodes.flatMap((episode) => {
      const hours = episode.hours.filter((h) => h.metric === metric && h.direction === direction);
      const ends = hours.map((h) => h.observed);
      const end = direction === "up" ? Math.max(...ends) : Math.min(...ends);
      const labelled = ends.indexOf(end);
      return hours.map((h, i) => ({ ...h, number: episode.number, labelled: i === labelled }));
    });
    if (!points.length) continue;
    series.push({
      x: points.map((p) => p.hour), y: points.map((p) => p.observed / unit),
      name: direction === "up" ? "Anomaly above" : "Anomaly below",
      mode: "markers+text", text: points.map((p) => (p.labelled ? String(p.number) : "")), textposition: position,
      textfont: { color: colour, size: 13, weight: 700 }, cliponaxis: false,
      marker: { symbol, color: colour, opacity: 1, size: points.map((p) => SEVERITY[p.severity] ?? 10), line: { color: c.surface, width: 1 } },
      customdata: points.map((p) => [p.number, plain(p.severity), p.expected / unit, p.lower / unit, p.upper / unit]),
      hovertemplate: `no. %{customdata[0]}, %{customdata[1]}: %{y:${tick}}, expected %{customdata[2]:${tick}} (%{customdata[3]:${tick}}–%{customdata[4]:${tick}})`,
    });
  }
  return series;
}

function xRange(topic) {
  const start = topic.hourly.start, end = start + topic.hourly.posts.length * HOUR;
  const ends = Object.values(topic.forecast).map((f) => f.start + f.expected.length * HOUR);
  return [state.days ? Math.max(start, end - state.days * DAY) : start, Math.max(end, ...ends)];
}

function nowLine(topic, c) {
  const at = topic.hourly.start + topic.hourly.posts.length * HOUR;
  return Object.keys(topic.forecast).length
    ? [{ type: "line", xref: "x", yref: "paper", x0: at, x1: at, y0: 0, y1: 1, line: { color: c.mute, width: 1, dash: "dash" } }]
    : [];
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// From 0 to just above the greatest value in sight: a spike months ago must not flatten this week,
// nor a wide outer band what was observed; where the band leaves the frame, the text has its end.
function yRange(traces, [from, to], ceiling = Infinity) {
  let most = 0, outer = 0;
  for (const { x, y, name } of traces) {
    for (let i = 0; i < x.length; i++) {
      if (x[i] < from || x[i] > to) continue;
      if (name === OUTER) outer = Math.max(outer, y[i]);
      else if (y[i] > most) most = y[i];
    }
  }
  return [0, Math.min(ceiling, 1.12 * Math.max(most, Math.min(outer, 1.4 * most))) || 1];
}

// The forecast in a sentence, for those who cannot or will not read the chart.
function forecastText(metric, forecast) {
  if (!forecast) return "No forecast for this measure yet.";
  const { format } = METRICS[metric];
  const top = forecast.expected.reduce((best, v, i) => (v > forecast.expected[best] ? i : best), 0);
  const mean = forecast.expected.reduce((a, b) => a + b, 0) / forecast.expected.length;
  const risk = forecast.p_anomaly.reduce((best, v, i) => (v !== null && v > (forecast.p_anomaly[best] ?? -1) ? i : best), 0);
  const at = (i) => weekHourText(forecast.start + i * HOUR);
  let text = `Coming ${Math.round(forecast.expected.length / 24)} days: ${format(mean)} on average; highest expected ${format(forecast.expected[top])} ` +
    `(95 % band ${format(forecast.lower_95[top])} to ${format(forecast.upper_95[top])}) on ${at(top)}.`;
  if (forecast.p_anomaly[risk] !== null) text += ` Greatest chance of an anomalous hour: ${percent(forecast.p_anomaly[risk])}, ${at(risk)}.`;
  return text + ` Method: ${forecast.method.replaceAll("_", " ")}.`;
}

function anomalyText(topic, metric) {
  const hours = topic.episodes.flatMap((e) => e.hours).filter((h) => h.metric === metric).length;
  return hours === 0 ? "no anomalous hours" : hours === 1 ? "1 anomalous hour" : `${count(hours)} anomalous hours`;
}

function drawScore(topic) {
  const metric = state.metric, { name, tick, unit } = METRICS[metric];
  const fine = tick === ".2f" ? ".3f" : ".1%";
  byId("score-title").textContent = `${name} by hour, and the coming week`;
  const values = topic.hourly ? topic.hourly[metric] : [];
  byId("score-forecast").textContent = "";
  byId("score-note").textContent = "";
  if (!has(values)) return empty("score-chart", "No scored posts of this topic, so there is nothing to draw.");
  const c = colours(), x = times(topic.hourly.start, values.length), forecast = topic.forecast[metric];
  const y = values.map((v) => (v === null ? null : v / unit)), alone = lonely(y), range = xRange(topic);
  const traces = [];
  if (forecast) traces.push(...bands(forecast, unit, c));
  traces.push({ x, y, name: "Hour", mode: "lines", line: { color: c.accent, width: 1 }, opacity: 0.55, hovertemplate: `%{y:${fine}}` });
  if (has(alone)) traces.push({ x, y: alone, mode: "markers", marker: { color: c.accent, size: 3 }, opacity: 0.55, hoverinfo: "skip", showlegend: false });
  traces.push({ x, y: dayMean(y, topic.hourly.scored), name: "24-hour mean", mode: "lines", line: { color: c.accent, width: 2.5 }, hovertemplate: `%{y:${fine}}` });
  if (forecast) traces.push(forecastLine(forecast, unit, c, fine));
  traces.push(...markers(topic, metric, unit, c, fine));
  byId("score-note").textContent = capital(anomalyText(topic, metric)) +
    (topic.episodes.length ? ", numbered as in the list below" : "") + ". Times are UTC." +
    (topic.hourly.cut ? " The last 400 days of hours are shown." : "");
  byId("score-forecast").textContent = forecastText(metric, forecast);
  draw("score-chart", traces, { xaxis: { range: [...(state.zoom ?? range)] }, yaxis: { tickformat: tick, range: yRange(traces, range, 1.04) }, shapes: nowLine(topic, c) },
    `${name} of ${topic.name} by hour; ${anomalyText(topic, metric)}. ${forecastText(metric, forecast)}`);
}

function drawPosts(topic) {
  byId("posts-forecast").textContent = "";
  byId("posts-note").textContent = "";
  if (!topic.hourly) return empty("posts-chart", "No posts of this topic.");
  const c = colours(), x = times(topic.hourly.start, topic.hourly.posts.length), forecast = topic.forecast.posts;
  const traces = forecast ? bands(forecast, 1, c) : [], range = xRange(topic);
  traces.push({ x, y: topic.hourly.posts, name: "Posts", mode: "lines", line: { color: c.accent, width: 1, shape: "hvh" }, fill: "tozeroy", fillcolor: c["band-95"], hovertemplate: "%{y:,}" });
  if (forecast) traces.push(forecastLine(forecast, 1, c, ",.0f"));
  traces.push(...markers(topic, "posts", 1, c, ",.0f"));
  byId("posts-note").textContent = capital(anomalyText(topic, "posts")) + ".";
  byId("posts-forecast").textContent = forecastText("posts", forecast);
  draw("posts-chart", traces, { xaxis: { range: [...(state.zoom ?? range)] }, yaxis: { tickformat: ",~r", range: yRange(traces, range) }, shapes: nowLine(topic, c) },
    `Posts of ${topic.name} per hour; ${anomalyText(topic, "posts")}. ${forecastText("posts", forecast)}`);
}

// A click on a marker goes to its anomaly in the list.
function linkMarkers() {
  for (const id of ["score-chart", "posts-chart"]) {
    const box = byId(id);
    if (!box.on || box.leadsToList) continue;
    box.leadsToList = true;
    box.on("plotly_click", ({ points }) => {
      const point = points.find((p) => p.data.mode === "markers+text");
      if (point) goToEpisode(point.customdata[0]);
    });
  }
}

// Plotly gives times back as text in UTC, without saying so.
const moment = (at) => (typeof at === "number" ? at : Date.parse(at.replace(" ", "T") + (at.length > 10 ? "Z" : "")));
const isWhole = (range) => xRange(topicAt(state.topic)).every((at, i) => Math.abs(moment(range[i]) - at) < HOUR);

// Zooming one hourly chart zooms the other.
let linking = false;
function linkRanges() {
  for (const [from, to] of [["score-chart", "posts-chart"], ["posts-chart", "score-chart"]]) {
    const box = byId(from);
    if (!box.on || box.linked) continue;
    box.linked = true;
    box.on("plotly_relayout", (change) => {
      if (linking || !byId(to).data) return;
      const range = "xaxis.range[0]" in change
        ? { "xaxis.range": [change["xaxis.range[0]"], change["xaxis.range[1]"]] }
        : change["xaxis.autorange"] ? { "xaxis.range": xRange(topicAt(state.topic)) } : null;
      if (!range) return;
      // Kept over a redraw with newer data; a reset is no zoom, so that new hours come into sight.
      state.zoom = "xaxis.range[0]" in change && !isWhole(range["xaxis.range"]) ? range["xaxis.range"] : null;
      linking = true;
      Plotly.relayout(byId(to), range).finally(() => { linking = false; });
    });
  }
}
