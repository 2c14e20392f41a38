// Data, formats and small DOM helpers. All text goes in by textContent.
const SCALE = 100000, HOUR = 3600e3, DAY = 24 * HOUR;
const read = (id) => JSON.parse(document.getElementById(id).textContent);
let page = read("page-data");
const blocks = new Map();
const topicAt = (i) => {
  if (!blocks.has(i)) blocks.set(i, read("topic-" + i));
  return blocks.get(i);
};
const byId = (id) => document.getElementById(id);

function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// Plotly reads <b>, <a href>, <br> and entities in names, titles and labels: this shows them as typed.
const plain = (text) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/%\{/g, "%\u200b{");
const short = (text, n) => (text.length > n ? text.slice(0, n - 1) + "…" : text);

const METRICS = {
  mean_toxicity: { name: "Mean toxicity", tick: ".2f", format: (v) => (v / SCALE).toFixed(3), unit: SCALE },
  toxic_share: { name: "Toxic share", tick: ".0%", format: (v) => (100 * v / SCALE).toFixed(1) + " %", unit: SCALE },
  posts: { name: "Posts", tick: ",~r", format: (v) => (v < 10 && v % 1 ? v.toFixed(1) : count(Math.round(v))), unit: 1 },
};
const count = (n) => n.toLocaleString("en-GB");
const percent = (v) => (v / SCALE < 0.005 ? "under 1 %" : Math.round(100 * v / SCALE) + " %");
// As the tables have them; Intl's short months differ from browser to browser.
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const weekdayText = (ms) => WEEKDAYS[(new Date(ms).getUTCDay() + 6) % 7];
const dayText = (ms) => {
  const date = new Date(ms);
  return `${weekdayText(ms)} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
};
const hourText = (ms) => new Date(ms).toISOString().slice(11, 16);
const timeText = (ms) => `${dayText(ms)}, ${hourText(ms)}`;
const weekHourText = (ms) => `${weekdayText(ms)} ${hourText(ms)}`;
const spanText = (from, to) =>
  to - from <= DAY && dayText(from) === dayText(to - 1)
    ? `${dayText(from)}, ${hourText(from)}–${dayText(to) === dayText(from) ? hourText(to) : "24:00"}`
    : `${timeText(from)} – ${timeText(to)}`;

const state = { topic: 0, metric: "mean_toxicity", days: 28, shown: 10, zoom: null };
