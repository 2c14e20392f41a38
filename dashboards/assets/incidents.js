// The list of incidents: what was seen, what was expected, why, and posts.
function fact(peak) {
  const { name, format } = METRICS[peak.metric] ?? METRICS.posts;
  const up = peak.direction === "up";
  return el("li", {},
    el("span", { class: `tag ${up ? "up" : "down"}` }, `${up ? "▲ above" : "▼ below"}, ${peak.severity}`),
    `${name} ${format(peak.observed)}, expected ${format(peak.expected)} (${format(peak.lower)} to ${format(peak.upper)}); farthest out ${weekHourText(peak.hour)}`);
}

function hourTable(incident) {
  const row = (h) => {
    const { name, format } = METRICS[h.metric] ?? METRICS.posts;
    return el("tr", {}, el("th", { scope: "row" }, timeText(h.hour)), el("td", {}, name),
      el("td", { class: "n" }, format(h.observed)), el("td", { class: "n" }, `${format(h.lower)} to ${format(h.upper)}`), el("td", {}, h.severity),
      el("td", {}, h.detector.startsWith("retro") ? "afterwards" : "at the time"));
  };
  const head = [[`Hour (${zoneName()})`], ["Measure"], ["Observed", "n"], ["Expected between", "n"], ["Severity"], ["Judged"]];
  return el("div", { class: "scroll", role: "region", "aria-label": "Hours of this incident", tabindex: "0" },
    el("table", {}, el("thead", {}, el("tr", {}, ...head.map(([name, css = ""]) => el("th", { scope: "col", class: css }, name)))), el("tbody", {}, ...incident.hours.map(row))));
}

function item(topic, i, incident, hide) {
  const examples = incident.examples.length, hours = (incident.end - incident.start) / HOUR;
  const title = el("h4", {}, `${topic.name} no. ${incident.number}: ${spanText(incident.start, incident.end)} `,
    el("small", {}, some(hours, "hour", "hours") + (incident.ongoing ? (page.live ? ", goes on" : ", not over at the end of the data") : "") +
      (incident.afterwards ? ", judged afterwards" : "")));
  const node = el("li", {}, title, el("ul", { class: "facts" }, ...incident.peaks.map(fact)));
  if (incident.events.length) node.append(el("p", { class: "note" }, `Beside it: ${incident.events.join("; ")}`));
  if (incident.terms.length) {
    const share = incident.explained_share;
    node.append(el("p", { class: "note" }, "Unusually frequent terms" + (share === null ? "" : `; posts with them explain ${percent(share)} of the change`) + ":"));
    node.append(termList(incident.terms.map((t) => [t]), "Unusually frequent terms"));
  }
  if (examples) {
    node.append(el("details", { "data-kind": "examples" },
      el("summary", {}, `${examples === 1 ? "1 example post" : `${examples} example posts`} (may be offensive)`),
      ...incident.examples.map((e) => quote(e, hide))));
  }
  if (incident.hours.length > incident.peaks.length) {
    const box = el("details", { "data-kind": "hours" }, el("summary", {}, "Hour by hour"));
    box.addEventListener("toggle", () => { if (box.open && box.children.length === 1) { box.append(hourTable(incident)); offerTables(); } });
    node.append(box);
  }
  const open = el("button", { type: "button", class: "small" }, "Its posts, people and terms");
  open.addEventListener("click", async () => {
    if (state.topic !== i) await select(i);
    openSpan(incident.start, incident.end);
  });
  node.append(el("p", { class: "actions" }, open, el("small", {}, ` id ${incident.id}`)));
  return node;
}

function goToIncident(number) {
  const key = `${topicAt(state.topic).name}\n${number}\n`;
  state.shown = Infinity;
  drawIncidents();
  const node = [...byId("episodes").children].find((li) => li.dataset.key === key);
  if (!node) return;
  node.tabIndex = -1;
  node.focus();
}

// Without incidents nothing is said of hours that nobody judged.
function noneText(topic) {
  const runs = topic.judged ?? [], known = runs.reduce((n, [s, hours]) => n + (["judged", "early", "afterwards"].includes(s) ? hours : 0), 0);
  const all = runs.reduce((n, [, hours]) => n + hours, 0);
  if (!known) return `None can be told: none of the ${some(all, "hour", "hours")} could be judged, too little was known before them.`;
  if (known < all) return `None in the ${some(known, "hour", "hours")} that were judged; ${count(all - known)} of ${count(all)} were not.`;
  return "None: every hour stayed in the range expected of it.";
}

function drawIncidents() {
  const all = byId("all-topics").checked, hide = hiding();
  let found, cut = 0;
  if (all) {
    const missing = [...new Set(page.recent.map(([i]) => i))].filter((i) => !topicAt(i));
    if (missing.length && served()) Promise.all(missing.map(loadTopic)).then(drawIncidents, () => null);
    found = page.recent.map(([i, number]) => ({ i, topic: topicAt(i), incident: topicAt(i)?.incidents.find((e) => e.number === number) })).filter((each) => each.incident);
    cut = page.topics.reduce((n, t) => n + t.incidents, 0) - found.length;
  } else {
    const topic = topicAt(state.topic);
    found = topic.incidents.map((incident) => ({ i: state.topic, topic, incident })).sort((a, b) => b.incident.start - a.incident.start);
    cut = topic.incidents_left_out;
  }
  const open = new Set([...byId("episodes").querySelectorAll("details[open]")].map((d) => d.closest("li").dataset.key + d.dataset.kind));
  byId("anomalies-title").textContent = `Incidents ${all ? "of all topics" : "of " + topicAt(state.topic).name}`;
  byId("anomalies-note").textContent = found.length
    ? `${count(found.length)}, newest first. Anomalous hours at most 3 apart are one incident, whatever the measure; “expected” is the range that an ordinary hour would have stayed in.` +
      (cut ? ` ${count(cut)} older ones are in the warehouse only.` : "")
    : all ? "None in any topic, as far as its hours were judged." : noneText(topicAt(state.topic));
  byId("episodes").replaceChildren(...found.slice(0, state.shown).map(({ i, topic, incident }) => {
    const node = item(topic, i, incident, hide);
    node.dataset.key = `${topic.name}\n${incident.number}\n`;
    for (const box of node.querySelectorAll("details")) box.open = open.has(node.dataset.key + box.dataset.kind);
    return node;
  }));
  const rest = found.length - state.shown;
  byId("more").hidden = rest <= 0;
  byId("more").textContent = `Show ${count(Math.min(rest, 20))} more of ${count(rest)}`;
}
