// One sample: its pictures with places drawn on them, what was expected, what each variant answered.

const view = { differences: true, boxes: true, current: null };

function showSample(number) {
  view.current = number;
  const place = byId("sample");
  place.replaceChildren(...sampleParts(number));
  place.scrollTop = 0;
}

function sampleParts(number) {
  const row = data.rows[number], position = choice.found.indexOf(number);
  const parts = [
    make("header", { class: "sample-head" },
      make("h3", {}, row.i, row.r ? make("span", { class: "n" }, ` repetition ${row.r}`) : null),
      make("span", { class: "n" }, position < 0 ? "" : `${position + 1} of ${choice.found.length}`),
      make("span", { class: "chips" }, ...(row.s || []).map((slice) => make("button", { type: "button", class: "chip", title: "Choose this slice", onclick: () => choice.set({ slice: String(slice) }) }, data.slices[slice]))),
      make("span", { class: "switches" },
        row.x !== undefined && view.differences ? make("span", { class: "legend" }, make("ins", {}, "not expected"), " ", make("del", {}, "missing")) : null,
        toggle("differences", row.x !== undefined && "differences", "d"), toggle("boxes", hasPlaces(row) && "boxes", "b"))),
  ];
  const shownPictures = row.p && make("div", { class: "pictures" }, ...row.p.map((place, at) => picture(place, at === 0 ? row : null, row.i)));
  const given = row.q && make("section", { class: "card given" }, make("h4", {}, "Input"), make("div", { class: "text" }, row.q));
  parts.push(
    make("div", { class: "asked" }, shownPictures, make("div", { class: "texts" }, given, expectedCard(row))),
    make("div", { class: "answers" }, ...row.c.map((cell, at) => answerCard(row, cell, at))),
  );
  return parts;
}

const hasPlaces = (row) => Boolean(row.b || row.c.some((cell) => cell && cell.b));

function toggle(name, label, hotkey) {
  if (!label) return null;
  return make("button", { type: "button", class: "switch", "aria-pressed": String(view[name]), title: `Key: ${hotkey}`, onclick: () => flip(name) }, label);
}

function flip(name) {
  view[name] = !view[name];
  if (view.current !== null) showSample(view.current);
}

function picture(place, row, name) {
  const found = pictures ? pictures[place] : { n: "loading" };
  if (!found.u) return make("div", { class: "picture missing" }, found.n);
  const frame = make("div", { class: "picture" }, make("img", { src: found.u, alt: `picture of ${name}`, decoding: "async" }));
  if (row && view.boxes && hasPlaces(row)) frame.append(overlay(row, found));
  return frame;
}

// Expected places are solid, answered ones dashed, each in its variant's colour.
function overlay(row, found) {
  const svg = draw("svg", { class: "overlay", viewBox: `0 0 ${found.w} ${found.h}`, role: "img", "aria-label": "places: expected solid, answered dashed" });
  const unit = Math.max(found.w, found.h) / 100;
  const add = (places, kind, at, name) => (places || []).forEach((place) => svg.append(...placeMarks(place, kind, at, name, unit)));
  add(row.b, "expected", null, "expected");
  row.c.forEach((cell, at) => add(cell && cell.b, "answered", at, data.variants[at].letter));
  return svg;
}

function placeMarks(place, kind, at, name, unit) {
  const own = { class: kind, "data-v": at === null ? null : at % 6, "vector-effect": "non-scaling-stroke" };
  const label = place[place.length - 1], halo = { class: "halo", "vector-effect": "non-scaling-stroke" };
  const [x, y] = place, isBox = place.length === 5;
  const shape = (attributes) => isBox
    ? draw("rect", { ...attributes, x, y, width: place[2] - x, height: place[3] - y })
    : draw("circle", { ...attributes, cx: x, cy: y, r: unit * 1.4 });
  const mark = shape(own);
  mark.append(draw("title", {}, [name, label].filter(Boolean).join(": ")));
  const text = draw("text", { class: `${kind} name`, "data-v": own["data-v"], x, y: kind === "expected" ? y - unit : (isBox ? place[3] : y) + unit * 4, "font-size": unit * 3.4 }, [kind === "expected" ? "" : name, label].filter(Boolean).join(" "));
  return [shape(halo), mark, text];
}

function expectedCard(row) {
  if (row.x === undefined && !row.e) return null;
  return make("section", { class: "card expected" },
    make("h4", {}, make("span", { class: "badge key" }, "="), "Expected"),
    row.x !== undefined ? make("div", { class: "text" }, row.x) : null,
    ...(row.e || []).map((place) => picture(place, null, `what is expected of ${row.i}`)));
}

function answerCard(row, cell, at) {
  const variant = data.variants[at];
  const head = make("h4", {}, badge(at), make("span", { class: "name" }, variant.name));
  if (!cell) return make("section", { class: "card" }, head, make("p", { class: "note" }, "not asked"));
  if (cell.l && variant.trace) head.append(make("span", { class: "to-trace" }, link(variant.trace.replace("{trace}", encodeURIComponent(cell.l)), "trace ↗")));
  const failed = "f" in cell && make("div", { class: "failure" }, make("b", {}, `⚠ ${data.failures[cell.f]}`), make("div", { class: "text" }, cell.m || ""));
  const said = cell.o === undefined ? null : view.differences && row.x !== undefined ? marked(row.x, cell.o) : make("div", { class: "text" }, cell.o);
  return make("section", { class: "card", "data-v": at % 6 }, head, failed || said || (cell.p ? null : make("p", { class: "note" }, "empty answer")),
    ...(cell.p || []).map((place) => picture(place, null, `the answer of ${variant.name}`)),
    ...(cell.z || []).map((place) => picture(place, null, `evidence on ${variant.name}`)),
    scores(row, cell, at), taken(cell));
}

function scores(row, cell, at) {
  const lines = data.metrics.map((metric, number) => {
    const found = cell.v[number];
    if (found === null || found === undefined) return null;
    const by = at ? change(row, at, number) : null;
    const good = by === null ? 0 : Math.sign(by) * SIGN[metric.direction];
    return make("tr", {},
      make("th", { scope: "row" }, `${metric.name} ${ARROWS[metric.direction]}`),
      make("td", { class: "number" }, shown(found)),
      make("td", { class: "number" }, by ? make("span", { class: `by ${["loss", "", "gain"][good + 1]}`, title: "against A" }, `${good > 0 ? "✓ " : good < 0 ? "✗ " : ""}${by > 0 ? "+" : ""}${shown(by).replace("-", "−")}`) : ""),
      make("td", { class: "why" }, clamped((cell.w || {})[number] || "")));
  });
  const failures = (cell.k || []).map(([evaluator, kind, message]) => make("tr", { class: "failed" }, make("th", { scope: "row" }, evaluator), make("td", {}, `⚠ ${kind}`), make("td"), make("td", { class: "why" }, message)));
  const shownLines = [...lines, ...failures].filter(Boolean);
  return shownLines.length ? make("table", { class: "scores" }, make("tbody", {}, ...shownLines)) : null;
}

// Long explanations show three lines, and all of it when clicked.
function clamped(text) {
  return make("div", { class: "clamped", title: text || null, onclick: (event) => event.currentTarget.classList.toggle("open") }, text);
}

function taken(cell) {
  const parts = [
    cell.t !== undefined && `${shown(cell.t, "s")}`,
    cell.n && `${cell.n[0] ?? "?"} + ${cell.n[1] ?? "?"} tokens`,
    cell.u !== undefined && shown(cell.u, "USD"),
  ].filter(Boolean);
  return parts.length ? make("p", { class: "taken" }, parts.join(" · ")) : null;
}
