// Wiring: the controls, the address (#topic=…), theme, print.
function drawAll() {
  const topic = topicAt(state.topic);
  byId("topic").textContent = `Topic: ${topic.name}`;
  drawScore(topic);
  drawPosts(topic);
  linkRanges();
  linkMarkers();
  drawEpisodes();
  drawWeek(topic);
  drawLabels(topic);
  drawCompare();
}

// What the markup shows of the chosen topic, beside the charts.
function mark(i) {
  state.topic = i;
  byId("topic-select").value = String(i);
  for (const row of document.querySelectorAll("tr[data-topic]")) {
    row.classList.toggle("selected", row.dataset.topic === String(i));
  }
  for (const row of document.querySelectorAll("tr[data-of]")) row.hidden = row.dataset.of !== String(i);
  byId("accuracy-of").textContent = `: ${page.topics[i].name}`;
}

function select(i) {
  state.shown = 10;
  state.zoom = null;
  mark(i);
  drawAll();
}

function fromAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1)).get("topic");
  return wanted === null ? -1 : page.topics.findIndex((topic) => topic.name === wanted);
}

if (page.topics.length) {
  const history28 = Math.max(...page.topics.map((t) => (t.daily ? t.daily.posts.length : 0)));
  state.days = history28 > 45 ? 28 : 0;
  document.querySelector(`#range input[value="${state.days}"]`).checked = true;
  if (!page.topics.some((t) => t.daily && has(t.daily.mean_toxicity))) byId("metric-select").disabled = true;

  byId("topic-select").addEventListener("change", (event) => {
    const i = Number(event.target.value);
    history.replaceState(null, "", "#" + new URLSearchParams({ topic: page.topics[i].name }));
    select(i);
    byId("announce").textContent = `Showing ${page.topics[i].name}.`;
  });
  byId("metric-select").addEventListener("change", (event) => {
    state.metric = event.target.value;
    drawScore(topicAt(state.topic));
    linkRanges();
    linkMarkers();
    drawCompare();
  });
  byId("range").addEventListener("change", (event) => {
    state.days = Number(event.target.value);
    state.zoom = null;
    drawScore(topicAt(state.topic));
    drawPosts(topicAt(state.topic));
  });
  byId("week-select").addEventListener("change", () => drawWeek(topicAt(state.topic)));
  for (const id of ["all-topics", "show-toxic"]) byId(id).addEventListener("change", drawEpisodes);
  byId("more").addEventListener("click", () => {
    const first = state.shown;
    state.shown += 20;
    drawEpisodes();
    const next = byId("episodes").children[first];
    if (next) { next.tabIndex = -1; next.focus(); }
  });
  addEventListener("hashchange", () => {
    const i = fromAddress();
    if (i < 0) return;
    select(i);
    byId("topic").scrollIntoView();
    byId("topic").focus({ preventScroll: true });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  narrow.addEventListener("change", drawAll);
  addEventListener("beforeprint", () => { document.documentElement.dataset.print = ""; drawAll(); });
  addEventListener("afterprint", () => { delete document.documentElement.dataset.print; drawAll(); });
  select(Math.max(0, fromAddress()));
}
document.documentElement.dataset.ready = "";
