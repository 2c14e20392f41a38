// Data, formats and small DOM helpers. All text goes in by textContent.
const SCALE = 100000, MINUTE = 60e3, HOUR = 3600e3, DAY = 24 * HOUR;
const LEAST_POSTS = 10;  // a share of fewer posts is no figure: it is drawn grey, and beside the line
const read = (id) => JSON.parse(document.getElementById(id).textContent);
let page = read("page-data");
const blocks = new Map();
const byId = (id) => document.getElementById(id);
const served = () => Boolean(byId("live"));

// A topic's data: in the page, or from its server; null where neither has it.
function topicAt(i) {
  if (!blocks.has(i) && byId("topic-" + i)) blocks.set(i, read("topic-" + i));
  return blocks.get(i) ?? null;
}
async function loadTopic(i) {
  if (!topicAt(i) && served()) blocks.set(i, await askJson("topic", { name: page.topics[i].name }));
  return topicAt(i);
}

async function askJson(path, parameters) {
  const answer = await fetch(`${path}?${new URLSearchParams(parameters)}`, { cache: "no-store", signal: AbortSignal.timeout(60000) });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).problem ?? `the server answered ${answer.status}`);
  return answer.json();
}

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
  mean_toxicity: { name: "Mean toxicity", format: (v) => (v / SCALE).toFixed(3), fine: ".3f", unit: SCALE },
  toxic_share: { name: "Toxic share", format: (v) => (100 * v / SCALE).toFixed(1) + " %", fine: ".1%", unit: SCALE },
  posts: { name: "Posts", format: (v) => (v < 10 && v % 1 ? v.toFixed(1) : count(Math.round(v))), fine: ",.0f", unit: 1 },
};
// Ticks with as many digits as the axis needs: never 0.00 five times.
function tickOf(metric, top) {
  if (metric === "posts") return ",~r";
  const digits = Math.max(0, Math.ceil(-Math.log10(top / 5)));
  return metric === "toxic_share" ? `.${Math.max(0, digits - 2)}%` : `.${Math.max(2, digits)}f`;
}
const count = (n) => n.toLocaleString("en-GB");
const some = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;
const percent = (v) => (v / SCALE < 0.005 ? "under 1 %" : Math.round(100 * v / SCALE) + " %");
const capital = (text) => text[0].toUpperCase() + text.slice(1);

const state = { topic: 0, metric: "mean_toxicity", days: 0, step: "auto", shown: 10, zoom: null, zone: "UTC", forecast: true, opened: null };
