// The hours of the week as a table: every value is printed with what stands behind it, the shade only
// helps the eye. Made from the hours, in the reader's zone.

// By hour of the week: { value, posts, hours, few }, null where no hour was seen.
function weekOf(topic, metric) {
  const cells = Array.from({ length: 168 }, () => ({ sum: 0, weight: 0, hours: 0 }));
  if (!topic.hourly) return cells.map(() => null);
  topic.hourly.posts.forEach((posts, i) => {
    const ms = topic.hourly.start + i * HOUR;
    if (inGap(topic, ms)) return;
    const date = new Date(toZone(ms)), cell = cells[((date.getUTCDay() + 6) % 7) * 24 + date.getUTCHours()];
    cell.hours += 1;
    if (metric === "posts") { cell.sum += posts; cell.weight += 1; return; }
    const value = topic.hourly[metric][i];
    if (value !== null) { cell.sum += value * topic.hourly.scored[i]; cell.weight += topic.hourly.scored[i]; }
  });
  return cells.map((cell) => (cell.weight ? {
    value: cell.sum / cell.weight, hours: cell.hours, posts: metric === "posts" ? cell.sum : cell.weight,
    few: metric !== "posts" && cell.weight < LEAST_POSTS,
  } : null));
}

function drawWeek(topic) {
  const metric = byId("week-select").value, cells = weekOf(topic, metric);
  const box = byId("week"), known = cells.filter((v) => v !== null), sure = known.filter((v) => !v.few);
  byId("week-note").textContent = "";
  if (!known.length) return box.replaceChildren(el("p", { class: "empty" }, "Nothing known of this measure yet."));
  const values = sure.map((v) => v.value), low = Math.min(...values), span = Math.max(...values) - low || 1;
  const text = (v) => (metric === "posts" ? (v < 10 ? v.toFixed(1) : v.toFixed(0)) : (100 * v / SCALE).toFixed(0));
  const of = (v) => (metric === "posts" ? `over ${some(v.hours, "hour", "hours")}` : `of ${some(v.posts, "post", "posts")}`);
  const hourName = (h) => String(h).padStart(2, "0"), dayName = (d) => WEEKDAYS[d];
  const cellOf = (day, hour) => {
    const v = cells[day * 24 + hour];
    if (v === null) return el("td", {}, "–");
    const td = el("td", v.few ? { class: "few" } : {}, text(v.value));
    if (!v.few) td.style.setProperty("--v", ((v.value - low) / span).toFixed(3));
    td.title = `${WEEKDAYS[day]} ${hourName(hour)}:00, ${METRICS[metric].format(v.value)} ${of(v)}`;
    return td;
  };
  const hours = Array.from({ length: 24 }, (_, h) => h), days = WEEKDAYS.map((_, d) => d);
  const [across, down, acrossName, downName, at] = narrow.matches
    ? [days, hours, dayName, hourName, (d, h) => cellOf(d, h)]
    : [hours, days, hourName, dayName, (h, d) => cellOf(d, h)];
  const head = el("tr", {}, el("td", { class: "corner" }), ...across.map((a) => el("th", { scope: "col" }, acrossName(a))));
  const rows = down.map((d) => el("tr", {}, el("th", { scope: "row" }, downName(d)), ...across.map((a) => at(a, d))));
  const caption = el("caption", { class: "sr" }, `${METRICS[metric].name} of ${topic.name} by weekday and hour, ${zoneName()}`);
  byId("week-note").textContent = weekNote(topic, metric, cells, sure, of);
  box.replaceChildren(el("div", { class: "scroll", role: "region", "aria-label": "Hours of the week", tabindex: "0" },
    el("table", { class: "week" }, caption, el("thead", {}, head), el("tbody", {}, ...rows))));
}

function weekNote(topic, metric, cells, sure, of) {
  const days = Math.ceil(topic.hourly.posts.length / 24);
  const over = days < 14 ? `over ${some(days, "day", "days")}, so a cell is one or two hours` : `over ${Math.floor(days / 7)} weeks`;
  let note = `Mean by weekday and hour, ${zoneName()}, ${over}.`;
  if (metric !== "posts") note += ` Grey: fewer than ${LEAST_POSTS} posts.`;
  if (!sure.length) return note + " No hour of the week has more.";
  const best = sure.reduce((a, b) => (b.value > a.value ? b : a)), top = cells.indexOf(best);
  return note + ` Highest: ${WEEKDAYS[Math.floor(top / 24)]} ${String(top % 24).padStart(2, "0")}:00, ${METRICS[metric].format(best.value)} ${of(best)}.`;
}
