// A served page: asks whether there is a newer one, and takes its data and tables over in place.
const POLL = 2000;
const partsOf = (root) => [...root.querySelectorAll("[data-part]")];
const last = new Map();
let version = byId("live").dataset.version;

// What the reader has in hand, found again by its place: the parts are laid anew.
const places = (part) => [...part.querySelectorAll("a, summary, select, button, input, [tabindex]")];

function holdFocus() {
  const held = document.activeElement, box = held.closest("[data-part], #episodes");
  const place = box ? places(box).indexOf(held) : -1;
  return () => {
    if (place >= 0 && !held.isConnected) places(box)[place]?.focus({ preventScroll: true });
  };
}

// What begins in sight, or else what fills it, stays where it is on the screen.
function holdSight() {
  // What is hidden has no place: it would be at the top of every screen.
  const nodes = [...document.querySelectorAll("main section, .detail .card")].filter((node) => node.getClientRects().length);
  const top = (node) => node.getBoundingClientRect().top;
  const anchor = nodes.find((node) => top(node) >= 0 && top(node) < innerHeight) ?? nodes.findLast((node) => top(node) < 0);
  const before = anchor && top(anchor);
  return () => {
    if (anchor && scrollY > 0) scrollBy({ top: top(anchor) - before, behavior: "instant" });
  };
}

function replacePart(part, fresh) {
  if (last.get(part.dataset.part) === fresh.innerHTML) return;
  last.set(part.dataset.part, fresh.innerHTML);
  const open = [...part.querySelectorAll("details")].map((box) => box.open);
  const scrolled = [...part.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
  part.replaceChildren(...document.importNode(fresh, true).childNodes);
  [...part.querySelectorAll("details")].forEach((box, i) => { box.open = open[i] ?? false; });
  [...part.querySelectorAll(".scroll")].forEach((box, i) => { [box.scrollLeft, box.scrollTop] = scrolled[i] ?? [0, 0]; });
}

const DATA = 'script[type="application/json"]';
const dataText = (root) => [...root.querySelectorAll(DATA)].map((block) => block.textContent).join("\n");

function replaceData(fresh) {
  for (const block of document.querySelectorAll(DATA)) block.remove();
  document.body.append(...[...fresh.querySelectorAll(DATA)].map((block) => document.importNode(block, true)));
  blocks.clear();
  page = read("page-data");
}

async function takeOver(fresh) {
  const name = page.topics[state.topic]?.name, settle = [holdSight(), holdFocus()];
  const redraw = dataText(document) !== dataText(fresh);
  document.title = fresh.title;
  const found = new Map(partsOf(fresh).map((part) => [part.dataset.part, part]));
  for (const part of partsOf(document)) replacePart(part, found.get(part.dataset.part));
  if (redraw) replaceData(fresh);
  if (page.topics.length) {
    const i = Math.max(0, page.topics.findIndex((topic) => topic.name === name));
    takeRows();
    mark(i);
    if (redraw) {
      await loadTopic(i).catch(() => null);
      drawAll();
    } else { drawTimes(); offerTables(); }
  }
  settle.forEach((put) => put());
  // Captions are laid out with their charts, some frames later.
  for (let wait = 0; wait < 3; wait += 1) {
    await new Promise((done) => setTimeout(done, 50));
    settle[0]();
  }
}

// Other scripts, or the first topics: then the page has to be loaded anew.
const policyOf = (root) => root.querySelector("meta[http-equiv]").content;
const partNames = (root) => partsOf(root).map((part) => part.dataset.part).join();
const isSameKind = (fresh) => policyOf(fresh) === policyOf(document) && partNames(fresh) === partNames(document);

function say(problem, at) {
  if (at) byId("live").dataset.at = String(at);
  const since = byId("live").dataset.at;
  const told = since ? `${dayText(Number(since))}, ${hourText(Number(since))}${new Date(Number(since)).toISOString().slice(16, 19)} ${zoneName()}` : "it was opened";
  byId("live").classList.toggle("stale", Boolean(problem));
  byId("live-text").textContent = problem ? `Not updated since ${told}: ${problem}` : `Live, updated ${told}`;
}

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(20000) });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer;
}

async function look() {
  let status;
  try {
    status = await (await ask("status")).json();
    if (status.version !== null && status.version !== version) {
      const fresh = new DOMParser().parseFromString(await (await ask("parts")).text(), "text/html");
      if (!isSameKind(fresh)) return location.reload();
      version = fresh.getElementById("live").dataset.version;
      await takeOver(fresh);
    }
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof DOMException || status === undefined)) throw error;
    return say("the server does not answer. Is it still running?");
  }
  document.documentElement.dataset.looked = version;
  say(status.problem, status.updated);
}

let asking = false;
async function poll() {
  if (asking || document.hidden) return;
  asking = true;
  try { await look(); } finally { asking = false; }
}

document.documentElement.style.overflowAnchor = "none";
setInterval(poll, POLL);
document.addEventListener("visibilitychange", poll);
poll();
