// A topic as a series of steps: five minutes, hours or days, as the period in sight asks for.
// Verdicts are of hours, whatever the steps.
const has = (values) => values.some((v) => v !== null);
const NAMES = { 5: "5 minutes", 60: "hour", 1440: "day" };

// The stretch of time in sight: [from, to), from what was observed, not from what is forecast.
function sight(topic) {
  const start = topic.hourly.start, end = start + topic.hourly.posts.length * HOUR;
  if (state.zoom) return state.zoom;
  return [state.days ? Math.max(start, end - state.days * DAY) : start, end];
}

function stepOf(topic) {
  if (state.step === "5") return topic.steps ? 5 : 60;
  if (state.step !== "auto") return Number(state.step);
  const [from, to] = sight(topic), hours = (to - from) / HOUR;
  if (topic.steps && hours <= 36) return 5;
  return hours <= 120 * 24 ? 60 : 1440;
}

// { x, posts, scored, <metric> }: dense, null where nothing is known.
function seriesOf(topic) {
  const step = stepOf(topic);
  if (step === 1440) {
    const d = topic.daily;
    return { step, x: d.posts.map((_, i) => (d.start + i) * DAY), ...d };
  }
  if (step === 60) {
    const h = topic.hourly;
    return { step, x: h.posts.map((_, i) => h.start + i * HOUR), ...h };
  }
  return { step, ...denseSteps(topic.steps) };
}

function denseSteps(s) {
  const size = 5 * MINUTE, n = s.at.at(-1) + 1, out = { x: [], posts: Array(n).fill(0), scored: Array(n).fill(0) };
  for (let i = 0; i < n; i++) out.x.push(s.start + i * size);
  for (const metric of ["mean_toxicity", "toxic_share"]) out[metric] = Array(n).fill(null);
  s.at.forEach((at, i) => {
    for (const name of ["posts", "scored", "mean_toxicity", "toxic_share"]) out[name][at] = s[name][i];
  });
  return out;
}

// The stretches of hours by what was judged: [{ status, from, to }].
function judgedRuns(topic) {
  const runs = [];
  let at = topic.hourly ? topic.hourly.start : 0;
  const cut = topic.hourly ? topic.judged.reduce((n, [, hours]) => n + hours, 0) - topic.hourly.posts.length : 0;
  at -= cut * HOUR;
  for (const [status, hours] of topic.judged) {
    runs.push({ status, from: at, to: at + hours * HOUR });
    at += hours * HOUR;
  }
  return runs;
}
const inGap = (topic, ms) => topic.gaps.some(([from, to]) => ms >= from && ms < to);
