// Any hour and any span opened: its posts, terms, people, sources. A served page asks its server, which
// reads the warehouse; a file has the telling hours within it, and says what it left out.
let asked = 0;

async function openSpan(from, to, { quiet = false } = {}) {
  const turn = ++asked, topic = topicAt(state.topic);
  state.opened = [from, to];
  writeAddress();
  byId("opened-title").textContent = `Posts of ${spanText(from, to)}`;
  byId("opened-note").textContent = "Reading …";
  if (!quiet) {
    drawCharts(topic);
    byId("opened-title").focus({ preventScroll: true });
    byId("explore").scrollIntoView({ block: "nearest" });
  }
  let found;
  try {
    found = await evidenceOf(from, to);
  } catch (error) {
    if (turn === asked) showNothing(`The posts could not be read: ${error.message}`);
    return;
  }
  if (turn === asked) showOpened(found);
}

async function evidenceOf(from, to) {
  if (served()) return askJson("span", { topic: page.topics[state.topic].name, from, to });
  const box = byId("opened-" + state.topic), kept = box ? read("opened-" + state.topic).hours : {};
  const hours = Object.keys(kept).map(Number).filter((ms) => ms >= from && ms < to).map((ms) => kept[ms]);
  const topic = topicAt(state.topic), first = Math.round((from - topic.hourly.start) / HOUR), last = Math.round((to - topic.hourly.start) / HOUR);
  const posts = topic.hourly.posts.slice(Math.max(0, first), Math.max(0, last));
  const all = posts.reduce((a, b) => a + b, 0), missing = posts.filter(Boolean).length - hours.length;
  return hours.length ? { ...merged(hours), all_posts: all, missing } : { posts: 0, all_posts: all, missing };
}

// Hours of a file side by side: counts add up, people do not.
function merged(hours) {
  if (hours.length === 1) return hours[0];
  const sum = (name) => hours.reduce((n, h) => n + h[name], 0);
  const counts = (name) => {
    const out = new Map();
    for (const h of hours) for (const [key, n] of h[name]) out.set(key, (out.get(key) ?? 0) + n);
    return [...out].sort((a, b) => b[1] - a[1]);
  };
  const scored = sum("scored"), mean = (pick) => hours.reduce((n, h) => n + (pick(h) ?? 0) * h.scored, 0) / (scored || 1);
  const once = (posts) => [...new Map(posts.map((p) => [p.text ?? p.at, p])).values()];
  const terms = new Map();
  for (const h of hours) for (const [term, posts, authors] of h.terms) {
    const known = terms.get(term) ?? [term, 0, 0];
    terms.set(term, [term, known[1] + posts, Math.max(known[2], authors)]);
  }
  return {
    ...hours[0], start: hours[0].start, end: hours.at(-1).end, posts: sum("posts"), scored, toxic: sum("toxic"),
    mean_toxicity: scored ? mean((h) => h.mean_toxicity) : null, distinct_texts: null, authors: { known: null, by_hour: hours.map((h) => h.authors.known) },
    sources: counts("sources"), languages: counts("languages"), labels: Object.fromEntries(Object.keys(hours[0].labels).map((label) => [label, mean((h) => h.labels[label])])),
    terms: [...terms.values()].sort((a, b) => b[1] - a[1]).slice(0, 12),
    most_toxic: once(hours.flatMap((h) => h.most_toxic).sort((a, b) => b.toxicity - a.toxicity)).slice(0, 5),
    most_repeated: once(hours.flatMap((h) => h.most_repeated).sort((a, b) => b.copies - a.copies)).slice(0, 5),
    random: once(hours.flatMap((h) => h.random)).slice(0, 5),
  };
}

function showNothing(text) {
  byId("opened-note").textContent = text;
  byId("opened").replaceChildren();
}

function voices({ known, half, top_share: top, voices: kind, by_hour: byHour }) {
  if (byHour) return `${count(Math.max(...byHour))} authors in its busiest hour`;
  if (half === null) return "authors not known";
  const names = { one: "one voice", few: "few voices", many: "many voices" };
  return `${some(known, "author", "authors")}, ${names[kind]}: ${half === 1 ? "one of them" : `${count(half)} of them`} wrote half of the posts, the busiest ${percent(top)}`;
}

function leftOut(found) {
  if (found.part !== undefined && found.part < 1) return ` Read: ${Math.round(100 * found.part)} % of the texts, with all their copies.`;
  if (!found.missing) return "";
  return ` ${some(found.missing, "hour of it was", "hours of it were")} left out of this file; \`mltox dashboard --serve\` or \`mltox explain\` open ${found.missing === 1 ? "it" : "them"}.`;
}

function showOpened(found) {
  if (!found.posts) return showNothing((found.all_posts ? `${some(found.all_posts, "post", "posts")}.` : "No posts in this span.") + leftOut(found));
  const share = found.scored ? ` ${METRICS.toxic_share.format(SCALE * found.toxic / found.scored)} toxic (${count(found.toxic)} of ${count(found.scored)} scored), mean toxicity ${METRICS.mean_toxicity.format(found.mean_toxicity)}.` : " None was scored.";
  byId("opened-note").textContent = `${some(found.posts, "post", "posts")}.${share}${leftOut(found)}`;
  const fact = (name, text) => el("li", {}, el("b", {}, name + " "), text);
  const listed = (rows) => rows.map(([name, n]) => `${name || "others"} ${count(n)}`).join(", ");
  const facts = [fact("People", voices(found.authors))];
  if (found.distinct_texts !== null) facts.push(fact("Texts", `${count(found.distinct_texts)} different ones in ${some(found.posts, "post", "posts")}`));
  facts.push(fact("Sources", listed(found.sources)), fact("Languages", listed(found.languages)));
  const labels = Object.entries(found.labels).filter(([, v]) => v !== null);
  if (labels.length) facts.push(fact("Labels", labels.map(([label, v]) => `${LABELS[label] ?? label} ${METRICS.mean_toxicity.format(v)}`).join(", ")));
  const parts = [el("ul", { class: "facts opened-facts" }, ...facts)];
  const against = found.before ? "posts of the four weeks before" : "other posts of the topic";
  parts.push(el("p", { class: "note" }, found.terms.length ? `Said more than in ${count(found.compared_with)} ${against}:` : `Nothing is said by three people more than in ${count(found.compared_with)} ${against}.`));
  if (found.terms.length) parts.push(termList(found.terms.map(([term, posts, authors]) => [term, `${some(posts, "post", "posts")}${authors ? `, ${some(authors, "author", "authors")}` : ""}`]), "Terms of the span"));
  parts.push(...[["Most repeated", found.most_repeated], ["Most toxic", found.most_toxic], ["At random", found.random]].filter(([, posts]) => posts.length).map(([name, posts]) => {
    const box = el("details", { "data-kind": name }, el("summary", {}, `${name}: ${some(posts.length, "text", "texts")} (may be offensive)`), ...posts.map((post) => quote(post)));
    return box;
  }));
  const open = new Set([...byId("opened").querySelectorAll("details[open]")].map((d) => d.dataset.kind));
  byId("opened").replaceChildren(...parts);
  for (const box of byId("opened").querySelectorAll("details")) box.open = open.has(box.dataset.kind);
  state.shownSpan = found;
}

// A search of stored texts, in the topic or in the span that is open.
async function searchTexts(words) {
  const span = byId("search-span").checked && state.opened ? { from: state.opened[0], to: state.opened[1] } : {};
  const turn = ++asked;
  byId("opened-title").textContent = `Texts with “${short(words, 60)}”`;
  byId("opened-note").textContent = "Searching …";
  let found;
  try {
    found = served() ? await askJson("search", { topic: page.topics[state.topic].name, q: words, ...span }) : searchFile(words, span);
  } catch (error) {
    if (turn === asked) showNothing(`The texts could not be searched: ${error.message}`);
    return;
  }
  if (turn !== asked) return;
  byId("opened-note").textContent = (found.matches ? `${some(found.matches, "post", "posts")}${found.posts.length < found.matches ? `, the newest ${found.posts.length} of them here` : ""}.` : "No stored text holds it.") + (found.note ?? "");
  byId("opened").replaceChildren(...found.posts.map((post) => quote(post)));
}

function searchFile(words, { from, to }) {
  const box = byId("opened-" + state.topic), hours = Object.values(box ? read("opened-" + state.topic).hours : {});
  const known = new Map();
  for (const hour of hours) for (const list of [hour.most_toxic, hour.most_repeated, hour.random]) for (const post of list) known.set(`${post.at} ${post.text}`, post);
  const wanted = words.toLowerCase(), all = [...known.values()];
  const posts = all.filter((p) => p.text?.toLowerCase().includes(wanted) && (from === undefined || (p.at >= from && p.at < to))).sort((a, b) => b.at - a.at);
  return { matches: posts.length, posts: posts.slice(0, 50), note: ` Searched: the ${count(all.length)} posts that are in this file; a served page searches all ${count(page.topics[state.topic].posts)}.` };
}
