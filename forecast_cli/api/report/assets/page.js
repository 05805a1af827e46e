(function () {
"use strict";
const {View, views, element, shown} = Charts;
const data = JSON.parse(document.getElementById("data").textContent);

/* The table of forecasts: that of the series shown; copied as it is, downloaded whole. */
const made = data.forecasts;
let current = 0;
const bySeries = made && made.keys.length && made.shown.length ? new Map() : null;
if (bySeries)
  for (const row of made.rows) {
    const name = JSON.stringify(made.keys.map(key => String(row[key])));
    if (!bySeries.has(name)) bySeries.set(name, []);
    bySeries.get(name).push(row);
  }
function rows(number) {
  return bySeries ? bySeries.get(JSON.stringify(made.shown[number])) || [] : made.rows;
}
/* What the table has too is stored once: its chart names the column. */
(data.charts.forecast || []).forEach((axes, number) => {
  const column = at => typeof at === "number" ? rows(number).map(row => row[at]) : at;
  for (const each of axes.lines) each.y = column(each.y);
  for (const each of axes.bands) { each.low = column(each.low); each.high = column(each.high); }
});
function text(all, separator) {
  const cell = value => {
    const plain = value === null ? "" : String(value);
    return /["\n\r,\t]/.test(plain) ? '"' + plain.replaceAll('"', '""') + '"' : plain;
  };
  return [made.columns, ...all].map(row => row.map(cell).join(separator)).join("\n") + "\n";
}
function fill() {
  const table = document.getElementById("forecasts");
  if (!table || !made) return;
  const head = element("tr"), body = table.tBodies[0];
  made.columns.forEach((name, at) => {
    const number = made.rows.some(row => typeof row[at] === "number");
    head.append(element("th", name, {scope: "col", className: number ? "number" : ""}));
  });
  table.tHead.replaceChildren(head);
  body.replaceChildren(...rows(current).map(row => {
    const line = element("tr");
    row.forEach(value => line.append(
      element("td", shown(value), {className: typeof value === "number" ? "number" : ""})));
    return line;
  }));
}
function save(name, kind, contents) {
  const link = element("a", undefined, {download: name});
  link.href = URL.createObjectURL(new Blob([contents], {type: kind}));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
async function copy() {
  const done = document.getElementById("done"), contents = text(rows(current), "\t");
  try {
    await navigator.clipboard.writeText(contents);
  } catch {
    /* Pages that are opened from disk may not write to the clipboard otherwise. */
    const area = element("textarea", undefined, {value: contents});
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  done.textContent = "Copied.";
}
function on(id, act) {
  const found = document.getElementById(id);
  if (found) found.addEventListener("click", act);
}

for (const figure of document.querySelectorAll("figure.chart"))
  new View(figure, data.charts[figure.dataset.chart]);
for (const picker of document.querySelectorAll(".picker")) {
  const options = [...picker.options];
  const apply = () => {
    current = Number(picker.value);
    for (const view of views)
      if (view.figure.dataset.chart === picker.dataset.chart) view.choose(current);
    fill();
  };
  picker.addEventListener("change", apply);
  document.getElementById("search-" + picker.dataset.chart).addEventListener("input", event => {
    const wanted = event.target.value.toLowerCase();
    const found = options.filter(each => each.text.toLowerCase().includes(wanted));
    picker.replaceChildren(...(found.length ? found : options));
    if (found.length) { picker.value = found[0].value; apply(); }
  });
}
fill();
on("copy", copy);
on("download", () => save("forecast.csv", "text/csv", text(made.rows, ",")));
on("config", () => save("report.toml", "text/plain", data.config));
})();
