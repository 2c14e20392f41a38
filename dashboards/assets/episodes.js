// The list of anomalies: what was seen, what was expected, why, and posts, toxic ones masked.
const WORD = /[\p{L}\p{N}]+/gu;
const masked = (text) => text.replace(WORD, (word) => {
  const letters = [...word];
  return letters[0] + "∗".repeat(letters.length - 1);
});
const LIKELY_TOXIC = 0.4 * SCALE;

function quote(example, hide) {
  const box = el("blockquote");
  if (example.text === null) box.append(el("p", {}, el("em", {}, "Text not stored.")));
  else if (hide && (example.toxicity === null || example.toxicity >= LIKELY_TOXIC)) {
    box.append(el("p", { "aria-hidden": "true" }, masked(example.text)), el("p", { class: "sr" }, "Toxic text, masked."));
  } else box.append(el("p", { dir: "auto" }, example.text));
  const score = example.toxicity === null ? "not scored" : `toxicity ${METRICS.mean_toxicity.format(example.toxicity)}`;
  const copies = example.copies > 1 ? `, said in ${example.copies} of the example posts` : "";
  box.append(el("footer", {}, `${example.source}, ${timeText(example.at)}, ${score}${copies}`));
  return box;
}

function fact(peak) {
  const { name, format } = METRICS[peak.metric] ?? METRICS.posts;
  const up = peak.direction === "up";
  return el("li", {},
    el("span", { class: `tag ${up ? "up" : "down"}` }, `${up ? "▲ above" : "▼ below"}, ${peak.severity}`),
    `${name} ${format(peak.observed)}, expected ${format(peak.expected)} (${format(peak.lower)} to ${format(peak.upper)}); peak ${weekHourText(peak.hour)}`);
}

function hourTable(episode) {
  const row = (h) => {
    const { name, format } = METRICS[h.metric] ?? METRICS.posts;
    return el("tr", {}, el("th", { scope: "row" }, timeText(h.hour)), el("td", {}, name),
      el("td", { class: "n" }, format(h.observed)), el("td", { class: "n" }, `${format(h.lower)} to ${format(h.upper)}`), el("td", {}, h.severity));
  };
  const head = [["Hour (UTC)"], ["Measure"], ["Observed", "n"], ["Expected between", "n"], ["Severity"]];
  return el("div", { class: "scroll", role: "region", "aria-label": "Hours of this anomaly", tabindex: "0" },
    el("table", {}, el("thead", {}, el("tr", {}, ...head.map(([name, css = ""]) => el("th", { scope: "col", class: css }, name)))), el("tbody", {}, ...episode.hours.map(row))));
}

function item(topic, episode, hide) {
  const examples = episode.examples.length, hours = (episode.end - episode.start) / HOUR;
  const title = el("h4", {}, `${topic.name} no. ${episode.number}: ${spanText(episode.start, episode.end)} `,
    el("small", {}, (hours === 1 ? "1 hour" : `${hours} hours`) + (episode.ongoing ? ", not over at the end of the data" : "")));
  const node = el("li", {}, title, el("ul", { class: "facts" }, ...episode.peaks.map(fact)));
  if (episode.terms.length) {
    const share = episode.explained_share;
    node.append(el("p", { class: "note" }, "Unusually frequent terms" + (share === null ? "" : `; posts with them explain ${percent(share)} of the change`) + ":"));
    node.append(el("ul", { class: "terms", "aria-label": "Unusually frequent terms" }, ...episode.terms.map((t) => el("li", { dir: "auto" }, t))));
  }
  if (examples) {
    node.append(el("details", { "data-kind": "examples" },
      el("summary", {}, `${examples === 1 ? "1 example post" : `${examples} example posts`} (may be offensive)`),
      ...episode.examples.map((e) => quote(e, hide))));
  }
  if (episode.hours.length > episode.peaks.length) {
    const box = el("details", { "data-kind": "hours" }, el("summary", {}, "Hour by hour"));
    box.addEventListener("toggle", () => { if (box.open && box.children.length === 1) box.append(hourTable(episode)); });
    node.append(box);
  }
  return node;
}

function goToEpisode(number) {
  const topic = topicAt(state.topic), key = `${topic.name}\n${number}\n`;
  state.shown = Infinity;
  drawEpisodes();
  const node = [...byId("episodes").children].find((li) => li.dataset.key === key);
  if (!node) return;
  node.tabIndex = -1;
  node.focus();
}

function drawEpisodes() {
  const all = byId("all-topics").checked, hide = !byId("show-toxic").checked;
  const topics = all ? page.topics.map((_, i) => topicAt(i)) : [topicAt(state.topic)];
  const found = topics.flatMap((topic) => topic.episodes.map((episode) => ({ topic, episode })));
  found.sort((a, b) => b.episode.start - a.episode.start);
  const cut = topics.reduce((n, topic) => n + topic.episodes_left_out, 0);
  const open = new Set([...byId("episodes").querySelectorAll("details[open]")].map((d) => d.closest("li").dataset.key + d.dataset.kind));
  byId("anomalies-title").textContent = `Anomalies ${all ? "of all topics" : "of " + topics[0].name}`;
  byId("anomalies-note").textContent = found.length
    ? `${count(found.length)}, newest first. Hours at most 3 apart are one anomaly; “expected” is the range that an ordinary hour would have stayed in.` +
      (cut ? ` ${count(cut)} older ones are in the warehouse only.` : "")
    : "None: every hour stayed in the range expected of it.";
  byId("episodes").replaceChildren(...found.slice(0, state.shown).map(({ topic, episode }) => {
    const node = item(topic, episode, hide);
    node.dataset.key = `${topic.name}\n${episode.number}\n`;
    for (const box of node.querySelectorAll("details")) box.open = open.has(node.dataset.key + box.dataset.kind);
    return node;
  }));
  const rest = found.length - state.shown;
  byId("more").hidden = rest <= 0;
  byId("more").textContent = `Show ${count(Math.min(rest, 20))} more of ${count(rest)}`;
}
