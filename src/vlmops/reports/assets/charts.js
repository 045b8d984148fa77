// Trade-off, distribution, history.

const TAKEN = [
  { name: "latency", unit: "s", of: (cell) => cell.t },
  { name: "cost", unit: "USD", of: (cell) => cell.u },
  { name: "output tokens", unit: "tokens", of: (cell) => cell.n && cell.n[1] },
];
const BINS = 24;

const measured = (name) => data.measures.find((measure) => measure.name === name);

function setUpTradeOff() {
  const taken = data.measures.filter((each) => /^(cost|latency|tokens|error_rate)(\.|$)/.test(each.name));
  const quality = data.measures.filter((each) => !taken.includes(each));
  const [x, y] = [byId("trade-x"), byId("trade-y")];
  const named = (measures) => measures.map((each) => [each.name, each.name]);
  options(x, named([...taken, ...quality]), (measured("cost") || measured("latency") || data.measures[0] || {}).name);
  options(y, named([...quality, ...taken]), (quality[0] || data.measures[0] || {}).name);
  for (const select of [x, y]) select.addEventListener("change", drawTradeOff);
  drawTradeOff();
}

function drawTradeOff() {
  const x = measured(byId("trade-x").value), y = measured(byId("trade-y").value), place = byId("trade");
  const found = data.variants.map((_, at) => ({ at, x: x?.values[at], y: y?.values[at] })).filter((each) => each.x && each.y && each.x[0] !== null && each.y[0] !== null);
  if (!found.length) return place.replaceChildren(make("p", { class: "note" }, "No variant has both values."));
  const all = (axis) => found.flatMap((each) => each[axis]).filter((value) => value !== null);
  const box = { left: 60, right: 610, top: 34, bottom: 250 };
  const { svg, across, up } = frame(640, 296, box, extent(all("x")), extent(all("y")), {
    title: `${y.name} by ${x.name}`, x: titled(x), y: titled(y),
  });
  for (const each of found) {
    const [px, py] = [across(each.x[0]), up(each.y[0])];
    const bar = (from, to) => draw("line", { class: "range", "data-v": each.at % 6, ...from, ...to });
    if (each.x[1] !== null) svg.append(bar({ x1: across(each.x[1]), y1: py }, { x2: across(each.x[2]), y2: py }));
    if (each.y[1] !== null) svg.append(bar({ x1: px, y1: up(each.y[1]) }, { x2: px, y2: up(each.y[2]) }));
  }
  for (const each of found) {
    const [px, py] = [across(each.x[0]), up(each.y[0])], name = data.variants[each.at].name;
    const right = px < box.right - 150;
    svg.append(
      draw("text", { class: "label", x: px + (right ? 15 : -15), y: py - 8, "text-anchor": right ? "start" : "end" }, name.length > 26 ? `${name.slice(0, 25)}…` : name),
      point(each.at, px, py, `${name}\n${x.name} ${shown(each.x[0], x.unit)}\n${y.name} ${shown(each.y[0], y.unit)}`),
    );
  }
  place.replaceChildren(svg);
}

function setUpHistogram() {
  const numbers = data.metrics.map((metric, at) => [`v${at}`, metric.name]);
  const taken = TAKEN.map((each, at) => [`t${at}`, each.name]).filter(([, name]) => {
    const of = TAKEN.find((each) => each.name === name).of;
    return data.rows.some((row) => row.c.some((cell) => cell && of(cell) != null));
  });
  options(byId("histogram-of"), [...numbers, ...taken]);
  byId("histogram-of").addEventListener("change", drawHistogram);
}

// Reads the chosen quantity of a cell as a number; passes are 1.
function quantity() {
  const chosen = byId("histogram-of").value, at = Number(chosen.slice(1));
  if (chosen[0] === "t") return { ...TAKEN[at], metric: null };
  const metric = data.metrics[at];
  if (!metric) return null;
  return { name: metric.name, unit: "", metric: at, kind: metric.kind, of: (cell) => metric.kind === "label" ? cell.v[at] : cell.v[at] === null ? null : Number(cell.v[at]) };
}

function drawHistogram() {
  const what = quantity(), place = byId("histogram");
  if (!what) return place.replaceChildren(make("p", { class: "note" }, "No answer has a score."));
  const { bins, slots } = binned(what);
  if (!bins) return place.replaceChildren(make("p", { class: "note" }, "No answer has this value."));
  const counts = counted(slots, bins.length);
  const width = 640, left = 34, right = 630, strip = Math.min(90, 230 / data.variants.length);
  const height = strip * data.variants.length + 34;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `distribution of ${what.name}` });
  const most = Math.max(1, ...counts.flatMap((each) => each.all)), step = (right - left) / bins.length;
  counts.forEach((each, at) => {
    const floor = strip * (at + 1);
    svg.append(draw("line", { class: "grid", x1: left, x2: right, y1: floor, y2: floor }), point(at, 14, floor - 12, data.variants[at].name));
    bins.forEach((bin, number) => {
      const bar = (count, kind) => {
        const tall = count ? Math.max(1.5, (count / most) * (strip - 12)) : 0;
        return draw("rect", { class: kind, "data-v": at % 6, x: left + number * step + 1, width: Math.max(1, step - 2), y: floor - tall, height: tall });
      };
      const title = `${data.variants[at].name}: ${bin.title}\n${each.all[number]} answers, ${each.some[number]} of the chosen samples`;
      svg.append(draw("g", { class: "bar", onclick: () => chooseBin(what, at, bin) }, draw("title", {}, title),
        draw("rect", { class: "hit", x: left + number * step, width: step, y: floor - strip, height: strip }),
        bar(each.all[number], "all"), bar(each.some[number], "some")));
    });
  });
  axisOf(svg, bins, left, step, height);
  place.replaceChildren(svg);
}

// The bins of a quantity, and for each variant the bin of every row (-1 for none); made once.
const binnings = new Map();

function binned(what) {
  const name = byId("histogram-of").value;
  if (binnings.has(name)) return binnings.get(name);
  const everyone = data.variants.map((_, at) => data.rows.map((row) => (row.c[at] ? what.of(row.c[at]) : null)));
  const known = everyone.flat().filter((value) => value !== null && value !== undefined);
  let bins = null, slots = [];
  if (known.length) {
    bins = what.kind === "label" || what.kind === "pass" ? classes(known, what.kind) : intervals(known);
    slots = everyone.map((values) => Int16Array.from(values, (value) => slotOf(value, bins)));
  }
  binnings.set(name, { bins, slots });
  return binnings.get(name);
}

function slotOf(value, bins) {
  if (value === null || value === undefined) return -1;
  if (bins[0].holds) return bins.findIndex((bin) => bin.holds(value));
  return Math.min(bins.length - 1, Math.floor((value - bins[0].first) / bins[0].step));
}

function classes(known, kind) {
  const values = kind === "pass" ? [0, 1] : [...new Set(known)].sort().slice(0, BINS);
  return values.map((value) => ({ low: value, high: value, label: kind === "pass" ? ["fail", "pass"][value] : value, title: String(value), holds: (each) => each === value }));
}

function intervals(known) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of known) low = Math.min(low, value), high = Math.max(high, value);
  if (high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high))) high = low + (Math.abs(low) || 1) * 1e-6;
  const step = (high - low) / BINS;
  return Array.from({ length: BINS }, (_, at) => {
    const [from, to] = [low + at * step, at === BINS - 1 ? high : low + (at + 1) * step];
    return { low: from, high: to, title: `${shown(from)} to ${shown(to)}`, holds: null, first: low, step };
  });
}

function counted(slots, bins) {
  return slots.map((own) => {
    const all = new Array(bins).fill(0), some = new Array(bins).fill(0);
    for (const at of own) if (at >= 0) all[at]++;
    for (const number of choice.found) if (own[number] >= 0) some[own[number]]++;
    return { all, some };
  });
}

function axisOf(svg, bins, left, step, height) {
  const text = (x, label) => svg.append(draw("text", { class: "tick", x, y: height - 14, "text-anchor": "middle" }, label));
  if (bins[0].holds) return bins.forEach((bin, at) => text(left + (at + 0.5) * step, bin.label.length > 14 ? `${bin.label.slice(0, 13)}…` : bin.label));
  const [low, high] = [bins[0].low, bins[bins.length - 1].high];
  for (const value of ticks(low, high, 6)) text(left + ((value - low) / (high - low)) * step * bins.length, tick(value));
}

function chooseBin(what, at, bin) {
  if (what.metric === null || what.kind === "label") return;
  choice.set({ metric: String(what.metric), whose: String(at), low: String(bin.low), high: String(bin.high) });
}

function setUpHistory() {
  if (!data.history.length) return;
  const names = [...new Set(data.history.flatMap((run) => Object.keys(run.scores)))];
  options(byId("history-of"), names.map((name) => [name, name]));
  byId("history-of").addEventListener("change", drawHistory);
  drawHistory();
}

function drawHistory() {
  const name = byId("history-of").value, place = byId("history-plot");
  const moments = [...new Set(data.history.map((run) => run.at))];
  const found = data.history.filter((run) => run.scores[name]);
  const day = (at) => data.history[at] && moments[at] ? moments[at].slice(5, 16).replace("T", " ") : "";
  if (!found.length) place.replaceChildren(make("p", { class: "note" }, "No run has a value."));
  else {
    const values = found.flatMap((run) => run.scores[name].slice(0, 3)).filter((value) => value !== null);
    const labels = moments.map((_, at) => at).filter((at) => at % Math.ceil(moments.length / 8) === 0);
    const measure = measured(name) || { name, unit: "", direction: "none" };
    const { svg, across, up } = frame(1000, 260, { left: 60, right: 985, top: 34, bottom: 205 }, [-0.5, moments.length - 0.5], extent(values), {
      title: `history of ${name}`, x: "", y: titled(measure), ticks: labels, name: day,
    });
    data.variants.forEach((variant, at) => {
      if (data.variants.findIndex((each) => each.name === variant.name) !== at) return;
      const mine = found.filter((run) => run.name === variant.name);
      const spots = mine.map((run) => [across(moments.indexOf(run.at)), up(run.scores[name][0]), run]);
      svg.append(draw("polyline", { class: "trend", "data-v": at % 6, points: spots.map((spot) => `${spot[0]},${spot[1]}`).join(" ") }));
      for (const [x, y, run] of spots) {
        const [value, low, high] = run.scores[name];
        if (low !== null) svg.append(draw("line", { class: "range", "data-v": at % 6, x1: x, x2: x, y1: up(low), y2: up(high) }));
        svg.append(point(at, x, y, `${run.name}\n${run.at.slice(0, 16).replace("T", " ")}\n${name} ${shown(value)}`));
      }
    });
    place.replaceChildren(svg);
  }
  const head = ["begun (UTC)", "experiment", name, "n", "failed", "dataset version", "commit"];
  byId("history-table").replaceChildren(
    make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...[...data.history].reverse().map((run) => {
      const score = run.scores[name];
      const interval = score && score[1] !== null ? ` [${shown(score[1])}, ${shown(score[2])}]` : "";
      const cells = [run.at.slice(0, 16).replace("T", " "), link(run.url, run.name), score ? shown(score[0]) + interval : "–", score ? score[3] : "–", run.failures || "–", run.version, run.commit || "–"];
      return make("tr", {}, ...cells.map((cell) => make("td", {}, cell)));
    })),
  );
}
