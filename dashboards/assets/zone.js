// Times in the zone that the reader has chosen. Charts get "zone time": a stamp whose UTC fields are
// the zone's, for Plotly draws no other.
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
let clocks = new Map();

function fieldsOf(zone) {
  if (!clocks.has(zone)) {
    clocks.set(zone, new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    }));
  }
  return clocks.get(zone);
}

const offsets = new Map();
// Milliseconds ahead of UTC; zones change theirs at whole quarters of an hour.
function offsetAt(ms) {
  if (state.zone === "UTC") return 0;
  const quarter = Math.floor(ms / (15 * MINUTE)) * 15 * MINUTE, key = state.zone + quarter;
  if (!offsets.has(key)) {
    const part = Object.fromEntries(fieldsOf(state.zone).formatToParts(new Date(quarter)).map((p) => [p.type, Number(p.value)]));
    offsets.set(key, Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - quarter);
  }
  return offsets.get(key);
}
const toZone = (ms) => ms + offsetAt(ms);
// The first of the two hours that a clock shows twice.
const fromZone = (at) => at - offsetAt(at - offsetAt(at));

function isZone(name) {
  try { return Boolean(fieldsOf(name)); } catch { return false; }
}
const zoneName = () => (state.zone === "UTC" ? "UTC" : state.zone.replaceAll("_", " "));

// As the tables have them; Intl's short months differ from browser to browser.
const weekdayText = (ms) => WEEKDAYS[(new Date(toZone(ms)).getUTCDay() + 6) % 7];
const dayText = (ms) => {
  const date = new Date(toZone(ms));
  return `${weekdayText(ms)} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
};
const hourText = (ms) => new Date(toZone(ms)).toISOString().slice(11, 16);
const timeText = (ms) => `${dayText(ms)}, ${hourText(ms)}`;
const weekHourText = (ms) => `${weekdayText(ms)} ${hourText(ms)}`;
const spanText = (from, to) =>
  to - from <= DAY && dayText(from) === dayText(to - 1)
    ? `${dayText(from)}, ${hourText(from)}–${dayText(to) === dayText(from) ? hourText(to) : "24:00"}`
    : `${timeText(from)} – ${timeText(to)}`;

// The times that the markup has, which is written in UTC.
function drawTimes() {
  for (const node of document.querySelectorAll("time[datetime]")) {
    const ms = Date.parse(node.dateTime), date = new Date(toZone(ms));
    const seconds = /:\d\d:\d\d$/.test(node.dataset.utc ??= node.textContent) ? date.toISOString().slice(16, 19) : "";
    node.textContent = state.zone === "UTC" ? node.dataset.utc
      : `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}, ${hourText(ms)}${seconds}`;
  }
  for (const node of document.querySelectorAll(".zone-name")) node.textContent = zoneName();
}
