// The hours of the week as a table: every value is printed, the shade only helps the eye.

function drawWeek(topic) {
  const metric = byId("week-select").value, values = topic.week ? topic.week[metric] : [];
  const box = byId("week"), known = values.filter((v) => v !== null);
  byId("week-note").textContent = "";
  if (!known.length) return box.replaceChildren(el("p", { class: "empty" }, "Nothing known of this measure yet."));
  const low = Math.min(...known), span = Math.max(...known) - low || 1;
  const text = (v) => (metric === "posts" ? (v < 10 ? v.toFixed(1) : v.toFixed(0)) : (100 * v / SCALE).toFixed(0));
  const cell = (day, hour) => {
    const v = values[day * 24 + hour];
    if (v === null) return el("td", {}, "–");
    const td = el("td", {}, text(v));
    td.style.setProperty("--v", ((v - low) / span).toFixed(3));
    td.title = `${WEEKDAYS[day]} ${String(hour).padStart(2, "0")}:00, ${METRICS[metric].format(v)}`;
    return td;
  };
  const hours = Array.from({ length: 24 }, (_, h) => h), days = WEEKDAYS.map((_, d) => d);
  const hourName = (h) => String(h).padStart(2, "0"), dayName = (d) => WEEKDAYS[d];
  const [across, down, acrossName, downName, at] = narrow.matches
    ? [days, hours, dayName, hourName, (d, h) => cell(d, h)]
    : [hours, days, hourName, dayName, (h, d) => cell(d, h)];
  const head = el("tr", {}, el("td", { class: "corner" }), ...across.map((a) => el("th", { scope: "col" }, acrossName(a))));
  const rows = down.map((d) => el("tr", {}, el("th", { scope: "row" }, downName(d)), ...across.map((a) => at(a, d))));
  const caption = el("caption", { class: "sr" }, `${METRICS[metric].name} of ${topic.name} by weekday and hour, UTC`);
  const top = values.indexOf(Math.max(...known));
  byId("week-note").textContent = `Mean of all weeks by weekday and hour, UTC. Highest: ${WEEKDAYS[Math.floor(top / 24)]} ` +
    `${hourName(top % 24)}:00, ${METRICS[metric].format(values[top])}.`;
  box.replaceChildren(el("div", { class: "scroll", role: "region", "aria-label": "Hours of the week", tabindex: "0" },
    el("table", { class: "week" }, caption, el("thead", {}, head), el("tbody", {}, ...rows))));
}
