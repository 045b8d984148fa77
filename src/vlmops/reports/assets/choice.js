// Which samples are chosen, and in which order; kept in the address, so that a link or a reload finds it again.

const EMPTY = { text: "", order: "differ", slice: "", failure: "", differ: "", metric: "0", whose: "any", low: "", high: "" };
const SIGN = { maximize: 1, minimize: -1, none: 0 };

const number = (text) => (text.trim() === "" || Number.isNaN(Number(text.replace(",", "."))) ? null : Number(text.replace(",", ".")));
const value = (cell, at) => (cell && typeof cell.v[at] !== "string" && cell.v[at] !== null && cell.v[at] !== undefined ? Number(cell.v[at]) : null);

const choice = {
  state: { ...EMPTY },
  found: data.rows.map((_, at) => at), // numbers of the chosen rows, in their order
  listeners: [],

  set(changes) {
    Object.assign(this.state, changes);
    this.apply();
  },

  apply() {
    this.found = chosen(this.state);
    this.remember();
    for (const listener of this.listeners) listener();
  },

  remember() {
    const kept = new URLSearchParams();
    for (const [key, text] of Object.entries(this.state)) if (text !== EMPTY[key]) kept.set(key, text);
    const hash = kept.size ? `#samples?${kept}` : location.hash.startsWith("#samples?") ? "#samples" : location.hash;
    try { history.replaceState(null, "", hash || " "); } catch { /* a page without an address */ }
  },

  recall() {
    const kept = new URLSearchParams(location.hash.split("?")[1] || "");
    for (const key of Object.keys(EMPTY)) if (kept.has(key)) this.state[key] = kept.get(key);
  },
};

// Each criterion is asked of every row once and kept as flags; another choice then only puts flags together.
const KEPT_FLAGS = 64;
const flags = new Map();

function flagged(key, test, within) {
  let found = flags.get(key);
  if (found) flags.delete(key);
  else {
    found = new Uint8Array(data.rows.length);
    for (let number = 0; number < found.length; number++) {
      if (!within || within[number]) found[number] = test(data.rows[number], number) ? 1 : 0;
    }
  }
  flags.set(key, found);
  if (flags.size > KEPT_FLAGS) flags.delete(flags.keys().next().value);
  return found;
}

function chosen(state) {
  const low = number(state.low), high = number(state.high), at = Number(state.metric);
  const criteria = [];
  if (state.slice !== "") criteria.push(flagged(`slice ${state.slice}`, (row) => (row.s || []).includes(Number(state.slice))));
  if (state.failure) criteria.push(flagged(`failure ${state.failure}`, failureTest(state.failure)));
  if (state.differ) criteria.push(flagged(`differ ${state.differ}`, differTest(state.differ)));
  if (low !== null || high !== null) {
    const within = (cell) => {
      const found = value(cell, at);
      return found !== null && (low === null || found >= low - 1e-9) && (high === null || found <= high + 1e-9);
    };
    const test = state.whose === "any" ? (row) => row.c.some(within) : (row) => within(row.c[Number(state.whose)]);
    criteria.push(flagged(`score ${at} ${state.whose} ${low} ${high}`, test));
  }
  for (const word of state.text.toLowerCase().split(/\s+/).filter(Boolean)) criteria.push(holding(word));
  const order = sorted(state.order);
  if (!criteria.length) return [...order];
  return Array.prototype.filter.call(order, (number) => criteria.every((fits) => fits[number]));
}

// Rows that hold a text; while it is typed, only those that held what was typed before are looked at.
function holding(word) {
  return flagged(`text ${word}`, (_, number) => haystack(number).includes(word), flags.get(`text ${word.slice(0, -1)}`));
}

function failureTest(chosen) {
  const failed = (row) => row.c.some((cell) => cell && "f" in cell);
  if (chosen === "any") return failed;
  if (chosen === "none") return (row) => !failed(row);
  if (chosen === "evaluator") return (row) => row.c.some((cell) => cell && cell.k);
  return (row) => row.c.some((cell) => cell && cell.f === Number(chosen));
}

function differTest(chosen) {
  const [kind, at, metric] = chosen.split(":");
  if (kind === "scores") return (row) => row.d > 0.001;
  if (kind === "outputs") return (row) => new Set(row.c.map((cell) => (cell ? cell.o : undefined))).size > 1;
  if (kind === "same") return (row) => row.d === 0;
  const sign = SIGN[data.metrics[metric].direction] * (kind === "better" ? 1 : -1);
  return (row) => (change(row, Number(at), Number(metric)) ?? 0) * sign > 0;
}

function change(row, at, metric) {
  const before = value(row.c[0], metric), after = value(row.c[at], metric);
  return before === null || after === null ? null : after - before;
}

// Everything that can be searched of a row, made while nothing else is to be done, or when it is searched first.
const haystacks = [];

function prepareSearch(first = 0) {
  const end = Math.min(data.rows.length, first + 200);
  for (let number = first; number < end; number++) haystack(number);
  if (end < data.rows.length) whenIdle(() => prepareSearch(end));
}

function haystack(number) {
  if (haystacks[number] === undefined) {
    const row = data.rows[number];
    const texts = [row.i, row.q, row.x, ...(row.s || []).map((slice) => data.slices[slice])];
    for (const cell of row.c) {
      if (cell) texts.push(cell.o, cell.m, "f" in cell ? data.failures[cell.f] : "", ...Object.values(cell.w || {}), ...(cell.k || []).flat());
    }
    haystacks[number] = texts.filter(Boolean).join("\n").toLowerCase();
  }
  return haystacks[number];
}

// All rows in an order, those without a value last; made once.
const orders = new Map();

function sorted(order) {
  if (!orders.has(order)) {
    const [kind, metric, at] = order.split(":");
    const found = Uint32Array.from(data.rows.keys());
    if (kind !== "dataset") {
      const keys = Float64Array.from(data.rows, (row) => key(row, kind, Number(metric), Number(at)));
      found.sort((one, other) => keys[one] - keys[other] || one - other);
    }
    orders.set(order, found);
  }
  return orders.get(order);
}

function key(row, kind, metric, at) {
  if (kind === "differ") return -row.d;
  if (kind === "slow") return -Math.max(...row.c.map((cell) => (cell && cell.t) || 0));
  const direction = data.metrics[metric].direction, sign = SIGN[direction] || 1;
  if (kind === "worst" || kind === "best") {
    const values = row.c.map((cell) => value(cell, metric)).filter((each) => each !== null).map((each) => each * sign);
    if (!values.length) return Infinity;
    return kind === "worst" ? Math.min(...values) : -Math.max(...values);
  }
  const by = change(row, at, metric);
  return by === null ? Infinity : by * sign * (kind === "loss" ? 1 : -1);
}

function setUpChoice() {
  const compared = data.variants.length > 1;
  const scored = data.metrics.map((metric, at) => ({ ...metric, at })).filter((metric) => metric.kind !== "label");
  const others = data.variants.map((_, at) => at).slice(1);
  const judged = scored.filter((metric) => metric.direction !== "none");
  const pairs = (verb) => others.flatMap((at) => judged.map((metric) => [`${verb}:${at}:${metric.at}`, `${data.variants[at].letter} ${verb} than A: ${metric.name}`]));
  options(byId("order"), [
    ...(compared ? [["differ", "largest disagreement"]] : []),
    { label: "worst first", entries: judged.map((metric) => [`worst:${metric.at}`, `worst ${metric.name}`]) },
    ...(compared ? [{ label: "against A", entries: others.flatMap((at) => judged.flatMap((metric) => [
      [`loss:${metric.at}:${at}`, `${data.variants[at].letter} lost most ${metric.name}`],
      [`gain:${metric.at}:${at}`, `${data.variants[at].letter} gained most ${metric.name}`],
    ])) }] : []),
    { label: "best first", entries: judged.map((metric) => [`best:${metric.at}`, `best ${metric.name}`]) },
    ["slow", "slowest"], ["dataset", "as in the dataset"],
  ]);
  options(byId("slice"), [["", "all"], ...data.slices.map((name, at) => [String(at), name])]);
  const evaluators = data.rows.some((row) => row.c.some((cell) => cell && cell.k));
  options(byId("failure"), [["", "with and without"], ["any", "any failed answer"], ["none", "none failed"], ...data.failures.map((kind, at) => [String(at), kind]), ...(evaluators ? [["evaluator", "an evaluator failed"]] : [])]);
  options(byId("differ"), [["", "all"], ...(compared ? [["scores", "scores differ"], ["outputs", "outputs differ"], ["same", "all agree"], { label: "better", entries: pairs("better") }, { label: "worse", entries: pairs("worse") }] : [])]);
  options(byId("metric"), scored.map((metric) => [String(metric.at), metric.name]));
  options(byId("whose"), [["any", "any"], ...data.variants.map((variant, at) => [String(at), variant.letter])]);
  if (!compared) EMPTY.order = choice.state.order = judged.length ? `worst:${judged[0].at}` : "dataset";
  EMPTY.metric = choice.state.metric = byId("metric").value;
  choice.recall();
  const fields = Object.keys(EMPTY).map((name) => byId(name));
  const show = () => fields.forEach((field) => {
    if (document.activeElement !== field || field.tagName === "SELECT") field.value = choice.state[field.id];
    field.classList.toggle("set", field.id !== "order" && field.id !== "metric" && choice.state[field.id] !== EMPTY[field.id]);
  });
  for (const field of fields) field.addEventListener("input", () => choice.set({ [field.id]: field.value }));
  byId("choice").addEventListener("submit", (event) => event.preventDefault());
  byId("choice").addEventListener("reset", (event) => { event.preventDefault(); document.activeElement.blur(); choice.set({ ...EMPTY }); });
  choice.listeners.push(show, () => {
    const [some, all] = [choice.found.length, data.rows.length];
    byId("count").textContent = some === all ? `${all.toLocaleString("en")} samples` : `${some.toLocaleString("en")} of ${all.toLocaleString("en")}`;
  });
}
