// Wiring: the controls, the address, theme, print.
function drawAll() {
  const topic = topicAt(state.topic);
  drawTimes();
  offerTables();
  if (!topic) return;
  byId("topic").textContent = `Topic: ${topic.name}`;
  if (topic.hourly) drawCharts(topic);
  else { byId("judged").textContent = ""; drawScore(topic); drawPosts(topic); }
  drawIncidents();
  drawWeek(topic);
  drawLabels(topic);
  drawCompare();
  offerTables();
}

// What the markup shows of the chosen topic, beside the charts.
function mark(i) {
  state.topic = i;
  const box = byId("topic-select");
  if (!box.querySelector(`option[value="${i}"]`)) box.append(el("option", { value: i }, short(page.topics[i].name, 40)));
  box.value = String(i);
  for (const row of document.querySelectorAll("tr[data-topic]")) {
    row.classList.toggle("selected", row.dataset.topic === String(i));
  }
  for (const row of document.querySelectorAll("tr[data-of]")) row.hidden = row.dataset.of !== String(i);
  byId("accuracy-of").textContent = `: ${page.topics[i].name}`;
}

// All there is, unless the last weeks hold it: a default that hides the incidents listed is none.
function defaultDays(topic) {
  const hours = topic.hourly?.posts.length ?? 0;
  if (hours <= 45 * 24) return 0;
  const end = topic.hourly.start + hours * HOUR;
  for (const days of [28, 90]) {
    if (hours <= days * 24) return 0;
    if (!topic.incidents.length || topic.incidents.some((e) => e.end > end - days * DAY)) return days;
  }
  return 0;
}

async function show(i) {
  state.shown = 10;
  mark(i);
  byId("topic").textContent = `Topic: ${page.topics[i].name}`;
  let topic = null, why = "This file holds the details of the busiest topics alone; `mltox dashboard --serve` shows this one.";
  try { topic = await loadTopic(i); } catch (error) { why = `This topic could not be read: ${error.message}`; }
  if (state.topic !== i) return;
  if (!topic) {
    for (const id of ["score-chart", "posts-chart", "labels-chart"]) empty(id, why);
    byId("episodes").replaceChildren();
    byId("anomalies-note").textContent = byId("judged").textContent = "";
    return;
  }
  if (!state.chosenDays) state.days = defaultDays(topic);
  drawControls();
  drawAll();
  if (state.opened) openSpan(...state.opened, { quiet: true });
  else showNothing("Click an hour in a chart, or drag over several, to open their posts.");
}

function drawControls() {
  document.querySelector(`#range input[value="${state.days}"]`).checked = true;
  byId("metric-select").value = state.metric;
  byId("step-select").value = state.step;
  byId("show-forecast").checked = state.forecast;
  byId("zone").value = state.zone;
  byId("step-select").querySelector("[value='5']").disabled = !topicAt(state.topic)?.steps;
}

async function select(i) {
  state.zoom = state.opened = null;
  byId("opened-title").textContent = "Posts of an hour or a span";
  await show(i);
}

// The topic where something goes on, or went on last; else the one with most posts.
function firstTopic() {
  const going = page.topics.findIndex((t) => t.ongoing);
  if (going >= 0) return going;
  if (page.recent.length) return page.recent[0][0];
  return page.topics.reduce((best, t, i) => (t.posts > page.topics[best].posts ? i : best), 0);
}

if (page.topics.length) {
  if (!page.topics.some((t) => t.mean_toxicity !== null)) byId("metric-select").disabled = true;
  for (const zone of ["UTC", Intl.DateTimeFormat().resolvedOptions().timeZone, ...(Intl.supportedValuesOf?.("timeZone") ?? [])]) byId("zones").append(el("option", { value: zone }));

  byId("zone").addEventListener("change", (event) => {
    const zone = event.target.value.trim() || "UTC";
    if (!isZone(zone)) { event.target.value = state.zone; return; }
    state.zone = event.target.value = zone;
    writeAddress();
    drawAll();
    if (state.shownSpan) openSpan(...(state.opened ?? []), { quiet: true });
  });
  byId("topic-select").addEventListener("change", async (event) => {
    const i = Number(event.target.value);
    await select(i);
    writeAddress();
    byId("announce").textContent = `Showing ${page.topics[i].name}.`;
  });
  byId("metric-select").addEventListener("change", (event) => {
    state.metric = event.target.value;
    writeAddress();
    drawCharts(topicAt(state.topic));
    drawCompare();
  });
  byId("range").addEventListener("change", (event) => {
    state.days = Number(event.target.value);
    state.chosenDays = true;
    state.zoom = null;
    writeAddress();
    drawCharts(topicAt(state.topic));
  });
  byId("step-select").addEventListener("change", (event) => {
    state.step = event.target.value;
    writeAddress();
    drawCharts(topicAt(state.topic));
  });
  byId("show-forecast").addEventListener("change", (event) => {
    state.forecast = event.target.checked;
    writeAddress();
    drawCharts(topicAt(state.topic));
  });
  byId("week-select").addEventListener("change", () => drawWeek(topicAt(state.topic)));
  byId("all-topics").addEventListener("change", drawIncidents);
  byId("show-toxic").addEventListener("change", () => {
    drawIncidents();
    if (state.shownSpan && byId("opened").children.length) showOpened(state.shownSpan);
  });
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const words = byId("search-words").value.trim();
    if (words) searchTexts(words);
  });
  byId("more").addEventListener("click", () => {
    const first = state.shown;
    state.shown += 20;
    drawIncidents();
    const next = byId("episodes").children[first];
    if (next) { next.tabIndex = -1; next.focus(); }
  });
  addEventListener("hashchange", async () => {
    const i = readAddress();
    if (i < 0) return;
    await show(i);
    if (state.opened) return;
    byId("topic").scrollIntoView();
    byId("topic").focus({ preventScroll: true });
  });
  const redraw = () => drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  narrow.addEventListener("change", redraw);
  // On paper nothing scrolls: charts are drawn anew in the width of a sheet.
  const resized = () => { for (const box of document.querySelectorAll(".chart")) if (box.data) Plotly.Plots.resize(box); };
  addEventListener("beforeprint", () => { document.documentElement.dataset.print = ""; drawAll(); resized(); });
  addEventListener("afterprint", () => { delete document.documentElement.dataset.print; drawAll(); resized(); });
  wireTopics();
  const wanted = readAddress();
  takeRows();
  show(wanted >= 0 ? wanted : firstTopic()).finally(() => { document.documentElement.dataset.ready = ""; });
} else {
  document.documentElement.dataset.ready = "";
}
