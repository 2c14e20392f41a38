// The address holds what is in sight, so that it can be sent to somebody:
// #topic=…&measure=…&period=28&from=…&to=…&open=…&until=…&step=60&zone=…
const stamp = (ms) => new Date(ms).toISOString().slice(0, 16) + "Z";

function writeAddress() {
  const wanted = { topic: page.topics[state.topic].name };
  if (state.metric !== "mean_toxicity") wanted.measure = state.metric;
  if (state.chosenDays) wanted.period = state.days;
  if (state.zoom) Object.assign(wanted, { from: stamp(state.zoom[0]), to: stamp(state.zoom[1]) });
  if (state.opened) Object.assign(wanted, { hour: stamp(state.opened[0]), until: stamp(state.opened[1]) });
  if (state.step !== "auto") wanted.step = state.step;
  if (state.zone !== "UTC") wanted.zone = state.zone;
  if (!state.forecast) wanted.forecast = "no";
  history.replaceState(null, "", "#" + new URLSearchParams(wanted));
}

// What the address asks for, as far as it makes sense; the place of its topic, or -1.
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1)), time = (name) => Date.parse(asked.get(name) ?? "");
  const i = asked.has("topic") ? page.topics.findIndex((topic) => topic.name === asked.get("topic")) : -1;
  if (asked.get("measure") in METRICS && asked.get("measure") !== "posts") state.metric = asked.get("measure");
  if (["7", "28", "90", "0"].includes(asked.get("period"))) { state.days = Number(asked.get("period")); state.chosenDays = true; }
  if (["5", "60", "1440"].includes(asked.get("step"))) state.step = asked.get("step");
  if (asked.has("zone") && isZone(asked.get("zone"))) state.zone = asked.get("zone");
  if (asked.get("forecast") === "no") state.forecast = false;
  state.zoom = time("to") > time("from") ? [time("from"), time("to")] : null;
  const from = time("hour");
  state.opened = Number.isNaN(from) ? null : [from, time("until") > from ? time("until") : from + HOUR];
  return i;
}
