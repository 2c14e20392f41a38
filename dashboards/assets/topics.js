// The overview of many topics: found, sorted and turned over page by page.
const ROWS = 50;
const list = { page: 0, sort: "name", filter: "" };
const SORTS = {
  name: () => 0,
  posts: (a, b) => b.posts - a.posts,
  last: (a, b) => b.now[0] - a.now[0],
  share: (a, b) => (b.scored < 20 ? -1 : b.toxic_share ?? -1) - (a.scored < 20 ? -1 : a.toxic_share ?? -1),
  incidents: (a, b) => b.ongoing - a.ongoing || b.incidents - a.incidents,
};

function topicRow(i) {
  const t = page.topics[i], [posts, scored, share, usual, low, high] = t.now, part = METRICS.toxic_share.format;
  const small = (...text) => el("small", {}, ...text), lines = (a, ...more) => more.flatMap((m) => [el("br"), m]).reduce((n, m) => (n.append(m), n), el("div", {}, a));
  const of = (value, n) => (value === null ? "–" : n < 20 ? el("span", { class: "few" }, part(value)) : part(value));
  const up = t.verdict === "above usual", down = t.verdict === "below usual";
  const verdict = el("span", { class: up ? "up" : down ? "down" : "plain" }, (up ? "▲ " : down ? "▼ " : "") + t.verdict);
  const cells = [
    ["Posts", lines(count(t.posts), small(`${count(posts)} in the last 24 h`))], ["Authors", count(t.authors)],
    ["Toxic share", lines(of(t.toxic_share, t.scored), small(`of ${count(t.scored)}`))],
    ["Mean toxicity", t.mean_toxicity === null ? "–" : METRICS.mean_toxicity.format(t.mean_toxicity)],
    ["Toxic share, last 24 h", share === null ? "–" : lines(of(share, scored), small(`of ${some(scored, "post", "posts")}`), ...(usual === null || scored < 20 ? [] : [small(`usual ${part(usual)} (${part(low)} to ${part(high)})`)]))],
    ["Now", verdict], ["Incidents", t.ongoing ? lines(count(t.incidents), small("1 ongoing")) : count(t.incidents)], ["Trend by day", "–"],
  ];
  const link = el("a", { href: "#" + new URLSearchParams({ topic: t.name }) }, short(t.name, 80));
  return el("tr", { "data-topic": i }, el("th", { scope: "row" }, link),
    ...cells.map(([name, value]) => el("td", { "data-label": name, ...(name === "Now" || name === "Trend by day" ? {} : { class: "n" }) }, el("div", {}, value))));
}

const drawnRows = new Map();
function drawTopics() {
  const wanted = list.filter.toLowerCase();
  const places = page.topics.map((_, i) => i).filter((i) => page.topics[i].name.toLowerCase().includes(wanted));
  places.sort((a, b) => SORTS[list.sort](page.topics[a], page.topics[b]) || a - b);
  const pages = Math.max(1, Math.ceil(places.length / ROWS));
  list.page = Math.min(Math.max(0, list.page), pages - 1);
  const body = document.querySelector("[data-part=overview] tbody");
  body.replaceChildren(...places.slice(list.page * ROWS, (list.page + 1) * ROWS).map((i) => drawnRows.get(i) ?? topicRow(i)));
  byId("topics-page").textContent = `${count(places.length)} topics, page ${list.page + 1} of ${pages}`;
  byId("topics-before").disabled = list.page === 0;
  byId("topics-after").disabled = list.page === pages - 1;
  byId("topics-rest")?.remove();
  mark(state.topic);
}

// The rows of the markup stay as they are (they have their trend), as long as they are of this page.
function takeRows() {
  drawnRows.clear();
  for (const row of document.querySelectorAll("tr[data-topic]")) drawnRows.set(Number(row.dataset.topic), row);
  const bar = byId("topics-bar");
  if (!bar) return;
  bar.hidden = page.topics.length <= 8;
  byId("topics-filter").value = list.filter;
  byId("topics-sort").value = list.sort;
  if (page.topics.length > ROWS || list.filter || list.sort !== "name") drawTopics();
}

function wireTopics() {
  document.addEventListener("input", ({ target }) => {
    if (target.id === "topics-filter") { list.filter = target.value; list.page = 0; drawTopics(); }
  });
  document.addEventListener("change", ({ target }) => {
    if (target.id === "topics-sort") { list.sort = target.value; list.page = 0; drawTopics(); }
  });
  document.addEventListener("click", ({ target }) => {
    if (target.id === "topics-before" || target.id === "topics-after") { list.page += target.id === "topics-after" ? 1 : -1; drawTopics(); }
  });
}
