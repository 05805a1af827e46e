/* Charts of a page: `View` draws one in a figure. */
const Charts = (function () {
"use strict";
/* Times on an axis, by the least seconds between two: a day is named where it begins. */
const DATES = [[365 * 86400, "{YYYY}"], [28 * 86400, "{YYYY}-{MM}"], [86400, "{YYYY}-{MM}-{DD}"],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}"], [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}"]].map(
  ([least, text, day = null]) => [least, text, day, null, day, null, null, null, 1]);
/* Rows before the test forecasts of one origin. */
const LEAST_HISTORY = 20;
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2]];
const views = [];
/* Positions that are equally far from each other are stored as their first, step and count. */
function spread(all) {
  for (const axes of all)
    for (const kind of ["lines", "bands", "points", "bars", "spans"])
      for (const each of axes[kind])
        if (!Array.isArray(each.x))
          each.x = Array.from({length: each.x.count}, (_, at) => each.x.first + at * each.x.step);
  return all;
}
const printing = window.matchMedia("print");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}
function element(name, text, more) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  Object.assign(made, more || {});
  return made;
}
function shown(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value);
}
function time(seconds, axes) {
  const text = new Date(seconds * 1000).toISOString();
  return axes.days ? text.slice(0, 10) : text.slice(0, 16).replace("T", " ");
}
function place(x, axes) {
  if (axes.kind === "time") return time(x, axes);
  return axes.kind === "name" ? axes.names[x] : shown(x);
}

/* Lines of one name that follow each other, such as test forecasts, share two columns in turn, so
   that each keeps its ends. */
function columns(axes) {
  const drawn = [], turns = {};
  const levels = axes.bands.slice().sort((a, b) => b.level - a.level);
  for (const band of levels) {
    drawn.push({name: band.name + ", low", x: band.x, y: band.low, level: band.level, end: "low"});
    drawn.push({name: band.name + ", high", x: band.x, y: band.high, level: band.level, end: "high"});
  }
  const names = [];
  /* Beside a forecast, other lines have another colour: so has the loss in training. */
  const beside = axes.lines.some(line => line.role === "forecast");
  for (const line of axes.lines) {
    if (!names.includes(line.name)) names.push(line.name);
    const many = axes.lines.filter(other => other.name === line.name).length > 1;
    if (!many) { drawn.push({...line, style: beside && line.at === 0 ? 1 : line.at}); continue; }
    const key = line.name + (turns[line.name] = ((turns[line.name] || 0) + 1) % 2);
    const found = drawn.find(each => each.key === key);
    if (found) { found.x = found.x.concat(line.x); found.y = found.y.concat(line.y); }
    else drawn.push({...line, key, style: 1, x: line.x.slice(), y: line.y.slice()});
  }
  for (const points of axes.points) drawn.push({...points, role: "points"});
  for (const bars of axes.bars) drawn.push({...bars, role: "bars"});
  return drawn;
}

/* All columns along the same positions; a gap where a column has none within its own range. */
function aligned(drawn) {
  const all = [...new Set(drawn.flatMap(each => each.x))].sort((a, b) => a - b);
  const index = new Map(all.map((x, at) => [x, at]));
  return [all, ...drawn.map(each => {
    const y = new Array(all.length).fill(null);
    each.x.forEach((x, at) => { y[index.get(x)] = each.y[at]; });
    if (each.key) return y;
    /* Between its own positions a thinned line goes on. */
    for (let at = 1; at < each.x.length; at++)
      if (each.y[at] !== null && each.y[at - 1] !== null)
        for (let k = index.get(each.x[at - 1]) + 1; k < index.get(each.x[at]); k++) y[k] = undefined;
    return y;
  })];
}

function styled(each) {
  if (each.level !== undefined)
    return {stroke: `rgba(${color("band")}, .45)`, width: .5, points: {show: false}};
  if (each.role === "points")
    return {stroke: color("other"), width: 0, paths: () => null,
      points: {show: true, size: 7, stroke: color("other"), fill: color("other")}};
  if (each.role === "bars")
    return {stroke: color("forecast"), fill: color("forecast"), width: 0, points: {show: false},
      paths: uPlot.paths.bars({size: [.8, 40]})};
  const role = {actual: "actual", forecast: "forecast", other: "other", reference: "soft"}[each.role];
  const tone = each.role === "other" && each.style % 2 === 0 && !each.key ? "forecast" : role;
  return {stroke: color(tone), width: each.role === "forecast" ? 2 : 1.3,
    points: {show: each.x.length === 1, size: 6, fill: color(tone)},
    dash: each.role === "reference" ? [3, 4] : each.role === "other" ? DASHES[each.style % 5] : []};
}

/* The test forecasts: the lines of which several have one name. */
function repeated(axes) {
  const names = axes.lines.map(each => each.name);
  return axes.lines.filter(
    each => each.x.length && names.indexOf(each.name) !== names.lastIndexOf(each.name));
}

/* Where the test forecasts begin. */
function origins(axes) {
  const several = repeated(axes);
  return several.some(each => each.x[0] !== several[0].x[0])
    ? [...new Set(several.map(each => each.x[0]))].sort((a, b) => a - b) : [];
}

/* The same axes with the forecasts of one origin alone; of all where it is null. */
function fromOrigin(axes, origin) {
  if (origin === null) return axes;
  const others = new Set(origins(axes).filter(x => x !== origin)), tests = repeated(axes);
  const shown = each => !others.has(each.x[0]), names = [...new Set(tests.map(each => each.name))];
  const lines = axes.lines.filter(each => !tests.includes(each) || shown(each));
  /* They look as they do among all others. */
  return {...axes, bands: axes.bands.filter(shown), lines: lines.map(
    each => tests.includes(each) ? {...each, at: 1 + names.indexOf(each.name)} : each)};
}

class View {
  constructor(figure, all) {
    views.push(this);
    this.figure = figure;
    this.all = spread(all);
    this.plot = figure.querySelector(".plot");
    this.hidden = new Set();
    this.origin = null;
    if (figure.dataset.chart === "forecast" || figure.dataset.chart === "test")
      this.plot.classList.add("tall");
    this.choose(Number(figure.dataset.axes || 0));
    figure.querySelector(".zoom").addEventListener("click", event => {
      if (event.target.dataset.do) this.zoom(event.target.dataset.do);
    });
    this.plot.addEventListener("keydown", event => this.key(event));
    figure.querySelector("details").addEventListener("toggle", () => this.table());
  }
  show(all) {
    this.all = spread(all);
    this.hidden.clear();
    this.choose(0);
  }
  choose(number) {
    this.axes = this.all[number];
    this.origin = null;
    const axes = this.axes;
    if (axes.kind === "time")
      axes.days = [...axes.lines, ...axes.bands, ...axes.bars]
        .every(each => each.x.every(x => x % 86400 === 0));
    this.figure.querySelector("figcaption").textContent = axes.title;
    if (this.all.length > 1) this.describe();
    this.levels();
    this.draw();
    this.table();
  }
  /* The sentence below a chart that a reader chose, which also stands for it where it is not seen. */
  describe() {
    const axes = this.axes, sentence =
      document.querySelector(`.sentence[data-chart="${this.figure.dataset.chart}"]`);
    if (!sentence) return;
    const parts = axes.lines.filter(each => each.role !== "other" && each.x.length);
    const text = parts.map(each => {
      const last = each.x.length - 1;
      return `${each.name} from ${place(each.x[0], axes)} (${shown(each.y[0])}) to ` +
        `${place(each.x[last], axes)} (${shown(each.y[last])})`;
    });
    for (const band of axes.bands.filter(each => each.x.length && axes.lines.some(
      line => line.role === "forecast")))
      text.push(`${band.name} at the end ${shown(band.low.at(-1))} to ${shown(band.high.at(-1))}`);
    sentence.textContent = axes.title + ": " + text.join("; ") + ".";
    this.plot.setAttribute("aria-label", sentence.textContent);
  }
  levels() {
    const zooms = this.axes.kind === "time" || this.plot.classList.contains("tall");
    this.figure.querySelector(".zoom").hidden = !zooms;
    const box = this.figure.querySelector(".levels");
    box.replaceChildren();
    for (const level of [...new Set(this.axes.bands.map(each => each.level))].sort((a, b) => a - b)) {
      const label = element("label"), input = element("input", undefined, {type: "checkbox"});
      input.checked = !this.hidden.has(level);
      input.addEventListener("change", () => {
        if (input.checked) this.hidden.delete(level); else this.hidden.add(level);
        this.draw(true);
      });
      label.append(input, " " + level + " % interval");
      box.append(label);
    }
    this.choices(box);
  }
  /* Which of the test forecasts are shown. */
  choices(box) {
    const axes = this.axes, found = this.plot.classList.contains("tall") ? origins(axes) : [];
    if (!found.length) return;
    const label = element("label", "Test forecasts "), select = element("select");
    select.className = "origins";
    select.append(element("option", "all", {value: ""}));
    for (const x of found) select.append(element("option", "from " + place(x, axes), {value: x}));
    select.addEventListener("change", () => {
      this.origin = select.value === "" ? null : Number(select.value);
      this.draw();
      if (this.origin !== null) this.near(this.origin);
      this.table();
    });
    label.append(select);
    box.append(label);
  }
  /* Show the test forecasts of one origin, with history before them and a few rows after them. */
  near(origin) {
    const x = this.values[0], own = repeated(this.axes).filter(each => each.x[0] === origin);
    const begin = x.indexOf(origin), end = x.indexOf(Math.max(...own.map(each => each.x.at(-1))));
    const steps = end - begin + 1, history = Math.max(LEAST_HISTORY, 3 * steps);
    this.chart.setScale("x", {min: x[Math.max(begin - history, 0)],
      max: x[Math.min(end + Math.ceil(steps / 4), x.length - 1)]});
  }
  draw(keep) {
    const before = keep && this.chart
      ? {min: this.chart.scales.x.min, max: this.chart.scales.x.max} : null;
    if (this.chart) this.chart.destroy();
    const axes = fromOrigin(this.axes, this.origin);
    const drawn = columns(axes).filter(each => !this.hidden.has(each.level));
    this.drawn = drawn;
    this.values = aligned(drawn);
    const bands = [];
    drawn.forEach((each, at) => {
      if (each.end === "high")
        bands.push({series: [at + 1, at], fill: `rgba(${color("band")}, .17)`});
    });
    const tall = this.plot.classList.contains("tall");
    const wide = printing.matches ? 660 : this.plot.clientWidth || 600;
    const soft = color("soft"), axis = {stroke: soft, grid: {stroke: color("grid"), width: 1},
      ticks: {stroke: color("grid"), width: 1}, font: "12px system-ui, sans-serif"};
    this.chart = new uPlot({
      width: wide, height: printing.matches ? 230 : tall ? 340 : 240,
      tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      legend: {show: false},
      /* The last date has room. */
      padding: axes.kind === "time" ? [null, 36, null, null] : [null, null, null, null],
      cursor: {drag: {x: true, y: false}, points: {size: 6}},
      scales: {x: {time: axes.kind === "time"}},
      series: [{}, ...drawn.map(each => ({spanGaps: false, ...styled(each)}))],
      bands,
      axes: [
        {...axis, ...(axes.kind === "name" ? {values: (u, at) => at.map(x => axes.names[x] ?? "")}
          : axes.kind === "time" ? {values: DATES, space: 90} : {})},
        {...axis, size: 62, values: (u, at) => at.map(each => shown(each))},
      ],
      hooks: {setCursor: [chart => this.hover(chart)], drawClear: [chart => this.spans(chart)]},
    }, this.values, this.plot);
    if (before && before.min !== null) this.chart.setScale("x", before);
    this.hover(this.chart);
  }
  spans(chart) {
    const context = chart.ctx, box = chart.bbox;
    context.save();
    context.fillStyle = context.strokeStyle = color("soft");
    context.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    let free = box.left;
    for (const span of this.axes.spans) {
      const begin = chart.valToPos(span.x[0], "x", true), from = Math.max(begin, box.left);
      const to = Math.min(chart.valToPos(span.x[1], "x", true), box.left + box.width);
      if (to < box.left || from > box.left + box.width) continue;
      if (span.name === "missing") {
        context.globalAlpha = .15;
        context.fillRect(from, box.top, Math.max(to - from, 2), box.height);
        context.globalAlpha = 1;
        continue;
      }
      if (begin >= box.left) {
        context.beginPath();
        context.setLineDash([2, 4]);
        context.moveTo(from, box.top);
        context.lineTo(from, box.top + box.height);
        context.stroke();
      }
      const room = context.measureText(span.name).width + 10;
      if (from + room <= box.left + box.width && from >= free) {
        context.fillText(span.name, from + 4, box.top + 12 * devicePixelRatio);
        free = from + room;
      }
    }
    context.restore();
  }
  hover(chart) {
    const at = chart.cursor.idx, out = this.figure.querySelector(".values");
    out.replaceChildren();
    if (at === null || at === undefined) {
      const seen = new Set();
      this.drawn.forEach(each => {
        const name = each.level === undefined ? each.name : each.name.replace(/, (low|high)$/, "");
        if (seen.has(name)) return;
        seen.add(name);
        out.append(this.entry(each, name));
      });
      return;
    }
    out.append(element("span", place(this.values[0][at], this.axes)));
    this.drawn.forEach((each, number) => {
      const value = this.values[number + 1][at];
      if (value === null || value === undefined || each.end === "high") return;
      const text = each.end === "low"
        ? each.name.replace(", low", "") + " " + shown(value) + " to " + shown(this.values[number + 2][at])
        : each.name + " " + shown(value);
      out.append(this.entry(each, text));
    });
  }
  entry(each, text) {
    const span = element("span"), mark = element("i");
    const levels = this.axes.bands.map(band => band.level).sort((a, b) => b - a);
    const share = .2 + .6 * levels.indexOf(each.level) / Math.max(levels.length, 1);
    mark.style.background = each.level === undefined ? styled(each).stroke
      : `rgba(${color("band")}, ${share})`;
    span.append(mark, text);
    return span;
  }
  zoom(what) {
    const scale = this.chart.scales.x, x = this.values[0];
    const first = x[0], last = x[x.length - 1];
    let min = scale.min, max = scale.max;
    const size = max - min, middle = (min + max) / 2;
    if (what === "all") { min = first; max = last; }
    if (what === "in") { min = middle - size / 4; max = middle + size / 4; }
    if (what === "out") { min = middle - size; max = middle + size; }
    if (what === "left") { min -= size / 4; max -= size / 4; }
    if (what === "right") { min += size / 4; max += size / 4; }
    if (min < first) { max = Math.min(max + first - min, last); min = first; }
    if (max > last) { min = Math.max(min + first * 0 + last - max, first); max = last; }
    this.chart.setScale("x", {min, max});
  }
  key(event) {
    const what = {"+": "in", "=": "in", "-": "out", "0": "all", PageUp: "left", PageDown: "right"};
    if (what[event.key]) { this.zoom(what[event.key]); event.preventDefault(); return; }
    const steps = {ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9}[event.key];
    if (!steps) return;
    event.preventDefault();
    const chart = this.chart, x = this.values[0];
    const seen = x.map((each, at) => at)
      .filter(at => x[at] >= chart.scales.x.min && x[at] <= chart.scales.x.max);
    const from = chart.cursor.idx ?? (steps > 0 ? seen[0] - 1 : seen[seen.length - 1] + 1);
    const at = Math.min(Math.max(from + steps, seen[0]), seen[seen.length - 1]);
    chart.setCursor({left: chart.valToPos(x[at], "x"), top: 10});
  }
  table() {
    const details = this.figure.querySelector("details");
    for (const each of details.querySelectorAll(".scroll")) each.remove();
    if (!details.open) return;
    const axes = this.axes, table = element("table"), head = element("tr");
    head.append(element("th", axes.x || "position", {scope: "col"}));
    for (const each of this.drawn)
      head.append(element("th", each.name, {scope: "col", className: "number"}));
    const body = element("tbody");
    this.values[0].forEach((x, at) => {
      const row = element("tr");
      row.append(element("th", place(x, axes), {scope: "row"}));
      this.drawn.forEach((each, number) =>
        row.append(element("td", shown(this.values[number + 1][at]), {className: "number"})));
      body.append(row);
    });
    const top = element("thead");
    top.append(head);
    table.append(top, body);
    const scroll = element("div", undefined, {className: "scroll", tabIndex: 0});
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", axes.title + ", values");
    scroll.append(table);
    details.append(scroll);
  }
}

let width = window.innerWidth;
window.addEventListener("resize", () => {
  if (window.innerWidth === width) return;
  width = window.innerWidth;
  views.forEach(view => view.draw(true));
});
for (const media of [printing, dark])
  media.addEventListener("change", () => views.forEach(view => view.draw(true)));
window.addEventListener("beforeprint", () => views.forEach(view => view.draw(true)));
return {View, views, element, shown};
})();
