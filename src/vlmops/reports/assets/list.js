// The list of chosen samples; only what can be seen of it exists.

const HEIGHT = 58; // of a row, as in samples.css
const BEYOND = 6;

const list = {
  at: 0, // position of the current sample among the chosen
  pending: false,
  top: 0, // where it is scrolled to, and how tall it is: asking the page for these makes it lay itself out
  tall: 0,

  measure() {
    this.top = byId("list").scrollTop;
    this.tall = byId("list").clientHeight;
  },

  scroll(top) {
    if (top !== this.top) byId("list").scrollTop = this.top = top;
  },

  show() {
    const place = byId("list"), rows = byId("rows");
    rows.style.height = `${choice.found.length * HEIGHT}px`;
    const first = Math.max(0, Math.floor(this.top / HEIGHT) - BEYOND);
    const last = Math.min(choice.found.length, Math.ceil((this.top + this.tall) / HEIGHT) + BEYOND);
    const shown = [];
    for (let position = first; position < last; position++) shown.push(listRow(position));
    rows.replaceChildren(...shown);
    if (!choice.found.length) rows.append(make("p", { class: "note nothing" }, "No sample fits."));
    if (choice.found.length) place.setAttribute("aria-activedescendant", `row-${choice.found[this.at]}`);
    else place.removeAttribute("aria-activedescendant");
  },

  later() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => { this.pending = false; this.measure(); this.show(); });
  },

  go(position) {
    if (!choice.found.length) return;
    this.at = Math.max(0, Math.min(choice.found.length - 1, position));
    const top = this.at * HEIGHT;
    if (top < this.top) this.scroll(top);
    else if (top + HEIGHT > this.top + this.tall) this.scroll(top + HEIGHT - this.tall);
    this.show();
    showSample(choice.found[this.at]);
  },
};

function listRow(position) {
  const number = choice.found[position], row = data.rows[number];
  const at = shownMetric();
  const told = (row.x || row.q || row.c.map((cell) => cell && cell.o).find(Boolean) || "").replace(/\s+/g, " ").slice(0, 90);
  const element = make("div", {
    class: "row", role: "option", id: `row-${number}`, "aria-selected": String(position === list.at),
    "aria-posinset": position + 1, "aria-setsize": choice.found.length, onclick: () => list.go(position),
  },
  make("div", { class: "thumb" }, thumb((row.p || [])[0])),
  make("div", { class: "what" }, make("div", { class: "id" }, row.i, row.r ? make("span", { class: "n" }, ` #${row.r}`) : null), make("div", { class: "told" }, told)),
  ...row.c.map((cell, variant) => make("div", { class: "cell", "data-v": variant % 6 }, ...cellMark(cell, at))));
  element.style.top = `${position * HEIGHT}px`;
  return element;
}

function cellMark(cell, at) {
  if (!cell) return [make("span", { class: "note", title: "no answer" }, "–")];
  if ("f" in cell) return [make("span", { class: "failed", title: data.failures[cell.f] }, "⚠ failed")];
  const metric = data.metrics[at], found = metric ? cell.v[at] : null;
  if (found === null || found === undefined) return [make("span", { class: "note" }, cell.k ? "⚠" : "–")];
  const mark = [make("span", { class: typeof found === "boolean" ? `pass-${found}` : "" }, found === true ? "✓ pass" : found === false ? "✗ fail" : shown(found))];
  if (metric.range && typeof found === "number") {
    const share = (found - metric.range[0]) / (metric.range[1] - metric.range[0]);
    const bar = make("i");
    bar.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
    mark.push(make("span", { class: "share", "aria-hidden": "true" }, bar));
  }
  return mark;
}

function thumb(place) {
  const picture = place === undefined || !pictures ? null : pictures[place];
  if (!picture || !picture.u) return make("span", { class: "no-picture", title: picture ? picture.n : null }, place === undefined ? "" : "·");
  return make("img", { src: picture.u, alt: "", decoding: "async" });
}

// The list shows the metric it is ordered by, else the one that scores are chosen by.
function shownMetric() {
  const [kind, metric] = choice.state.order.split(":");
  return ["worst", "best", "loss", "gain"].includes(kind) ? Number(metric) : Number(choice.state.metric || 0);
}

const showFirst = afterFrame(() => {
  if (choice.found.length) showSample(choice.found[list.at]);
  else byId("sample").replaceChildren(make("p", { class: "note nothing" }, "No sample fits what is asked for. Reset, or ask for less."));
  byId("sample").removeAttribute("aria-busy");
});

function setUpList() {
  list.measure();
  byId("list").addEventListener("scroll", () => list.later(), { passive: true });
  addEventListener("resize", () => list.later());
  choice.listeners.push(() => {
    const metric = data.metrics[shownMetric()];
    byId("list-head").replaceChildren(
      make("div", { class: "what" }, metric ? `${metric.name} ${ARROWS[metric.direction]}` : ""),
      ...data.variants.map((variant, at) => make("div", { class: "cell", title: variant.name }, badge(at))),
    );
    list.at = 0;
    list.scroll(0);
    list.show();
    byId("sample").setAttribute("aria-busy", "true");
    showFirst();
  });
}
