(function () {
"use strict";
const {View, element, shown} = Charts;
const byId = id => document.getElementById(id);
const MOST_ROWS = 1000;
let models = [], chosen = null, view = null, answer = null, asked = 0;

function headers(more) {
  const token = byId("token");
  return token && token.value ? {...more, Authorization: "Bearer " + token.value} : more;
}
async function ask(path, options) {
  const response = await fetch(path, {...options, headers: headers(options ? options.headers : {})});
  const found = await response.json();
  if (!response.ok) throw Object.assign(new Error(found.detail), {problem: found});
  return found;
}
function fail(error) {
  const problem = error.problem || {detail: "The server does not answer.", hint: ""};
  byId("problem").replaceChildren(element("strong", problem.detail), " " + problem.hint);
  byId("problem").hidden = false;
  byId("state").textContent = "";
}
async function list() {
  if (byId("token") && !byId("token").value) return;
  try {
    models = (await ask("v1/models")).models;
  } catch (error) {
    fail(error);
    return;
  }
  byId("problem").hidden = true;
  byId("model").replaceChildren(...models.map(each => element("option", each.name, {value: each.name})));
  describe();
}
function describe() {
  const model = models.find(each => each.name === byId("model").value);
  if (!model) return;
  const names = [model.time, ...model.series, ...model.columns, ...model.past_covariates,
    ...model.future_covariates, ...model.static_covariates].filter(each => each);
  byId("columns").textContent = `Columns: ${[...new Set(names)].join(", ")}. At least ${model.lookback} ` +
    `rows${model.series.length ? " of each series" : ""}` +
    `${model.frequency ? ", in steps of " + model.frequency : ""}.`;
  byId("horizon").placeholder = String(model.horizon);
  byId("ahead").hidden = !model.future_covariates.length;
}
function query() {
  const options = new URLSearchParams({chart: "true"});
  for (const name of ["horizon", "level", "missing"]) {
    const value = byId(name).value.trim();
    if (value) options.set(name, value);
  }
  return options.toString();
}
async function request(file) {
  const future = byId("ahead").hidden ? null : byId("future").files[0];
  if (!future && !file) return {method: "POST"};
  if (!future)
    return {method: "POST", body: await file.arrayBuffer(), headers: {"Content-Type": "text/csv"}};
  const body = {future: await future.text()};
  if (file) body.rows = await file.text();
  return {method: "POST", body: JSON.stringify(body), headers: {"Content-Type": "application/json"}};
}
async function forecast(file) {
  const number = ++asked;
  byId("problem").hidden = true;
  byId("result").hidden = true;
  byId("state").textContent = "Forecasting …";
  let found;
  try {
    const path = `v1/models/${encodeURIComponent(byId("model").value)}/predict?${query()}`;
    found = await ask(path, await request(file));
  } catch (error) {
    if (number === asked) fail(error);
    return;
  }
  /* Only the last one that was asked for is shown. */
  if (number !== asked) return;
  answer = found;
  byId("state").textContent = `${answer.forecast.length} rows`;
  byId("result").hidden = false;
  byId("notes").replaceChildren(...answer.notes.map(each => element("li", each)));
  draw();
  fill();
}
function draw() {
  const figure = document.querySelector("figure.chart"), chart = answer.chart;
  const sentence = document.querySelector(".sentence");
  figure.hidden = sentence.hidden = !chart;
  byId("choose").hidden = !chart || chart.axes.length < 2;
  if (!chart) return;
  byId("picker").replaceChildren(
    ...chart.axes.map((each, at) => element("option", each.title, {value: String(at)})));
  sentence.textContent = chart.text;
  figure.querySelector(".plot").setAttribute("aria-label", chart.text);
  if (view) view.show(chart.axes); else view = new View(figure, chart.axes);
}
function names() {
  return Object.keys(answer.forecast[0] || {});
}
function fill() {
  const rows = answer.forecast, table = byId("forecasts"), head = element("tr");
  const kinds = names().map(name => rows.some(row => typeof row[name] === "number") ? "number" : "");
  names().forEach((name, at) =>
    head.append(element("th", name, {scope: "col", className: kinds[at]})));
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...rows.slice(0, MOST_ROWS).map(row => {
    const line = element("tr");
    names().forEach((name, at) =>
      line.append(element("td", shown(row[name]), {className: kinds[at]})));
    return line;
  }));
}
function cell(value) {
  const plain = value === null ? "" : String(value);
  return /["\n\r,]/.test(plain) ? '"' + plain.replaceAll('"', '""') + '"' : plain;
}
function save() {
  const lines = [names(), ...answer.forecast.map(row => names().map(name => row[name]))];
  const text = lines.map(line => line.map(cell).join(",")).join("\n") + "\n";
  const link = element("a", undefined, {download: "forecast.csv"});
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv"}));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
function take(file) {
  chosen = file || null;
  if (chosen) forecast(chosen);
}

const drop = byId("drop");
for (const name of ["dragenter", "dragover"])
  drop.addEventListener(name, event => { event.preventDefault(); drop.classList.add("over"); });
for (const name of ["dragleave", "drop"])
  drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", event => { event.preventDefault(); take(event.dataTransfer.files[0]); });
byId("file").addEventListener("change", () => take(byId("file").files[0]));
byId("form").addEventListener("submit", event => {
  event.preventDefault();
  if (chosen) forecast(chosen);
  else fail({problem: {detail: "There is no table.", hint: "Drop a CSV file, or choose one."}});
});
byId("stored").addEventListener("click", () => forecast(null));
byId("model").addEventListener("change", describe);
byId("picker").addEventListener("change", () => view.choose(Number(byId("picker").value)));
byId("download").addEventListener("click", save);
if (byId("token")) byId("token").addEventListener("change", list);
list();
})();
