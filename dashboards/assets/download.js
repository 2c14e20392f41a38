// Every chart as PNG and as CSV, every table as CSV: made here, sent nowhere.
function save(name, blob) {
  const link = el("a", { download: name, href: URL.createObjectURL(blob) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// A cell that begins like a formula is one to a spreadsheet: an apostrophe keeps it a text.
const cell = (value) => {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const csv = (rows) => "\ufeff" + rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
const fileName = (what, kind) =>
  `${short((page.topics[state.topic]?.name ?? "topics").replace(/[^\p{L}\p{N}]+/gu, "-"), 40)}-${what}.${kind}`;

// One row a time, one column a line of the chart; times as the zone has them, its offset with them.
function chartRows(box) {
  const lines = box.data.filter((trace) => trace.name && trace.x && trace.hoverinfo !== "skip");
  const at = new Map();
  lines.forEach((trace, i) => trace.x.forEach((x, n) => {
    if (!at.has(x)) at.set(x, Array(lines.length).fill(null));
    at.get(x)[i] = trace.y[n];
  }));
  const rows = [...at].sort((a, b) => a[0] - b[0]);
  return [[`time (${zoneName()})`, ...lines.map((trace) => trace.name)],
    ...rows.map(([x, values]) => [new Date(x).toISOString().slice(0, 16).replace("T", " "), ...values])];
}

function tableRows(table) {
  return [...table.rows].map((row) => [...row.cells].map((td) => td.innerText.replace(/\s+/g, " ").trim()));
}

function offerDownloads(box, label) {
  const bar = box.parentElement.querySelector(":scope > .downloads");
  if (label === null) return bar?.remove();
  if (bar) return;
  const what = box.id.replace("-chart", "");
  const button = (kind, act) => {
    const made = el("button", { type: "button", class: "small", "aria-label": `${kind} of the chart: ${what}` }, kind);
    made.addEventListener("click", act);
    return made;
  };
  box.after(el("div", { class: "downloads" },
    button("CSV", () => save(fileName(what, "csv"), new Blob([csv(chartRows(box))], { type: "text/csv" }))),
    button("PNG", async () => {
      const url = await Plotly.toImage(box, { format: "png", width: 1200, height: 600, scale: 2 });
      const bytes = Uint8Array.from(atob(url.split(",")[1]), (c) => c.charCodeAt(0));
      save(fileName(what, "png"), new Blob([bytes], { type: "image/png" }));
    })));
}

function offerTables() {
  for (const box of document.querySelectorAll(".scroll")) {
    if (box.previousElementSibling?.classList.contains("table-csv")) continue;
    const name = box.getAttribute("aria-label");
    const button = el("button", { type: "button", class: "small table-csv", "aria-label": `CSV of the table: ${name}` }, "CSV");
    button.addEventListener("click", () =>
      save(fileName(name.toLowerCase().replace(/[^a-z]+/g, "-"), "csv"), new Blob([csv(tableRows(box.querySelector("table")))], { type: "text/csv" })));
    box.before(button);
  }
}
