// Starting the page: keys, theme, prompts, printing.

const PRINTED = 20;

function switchTheme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("vlmops-report-theme", document.documentElement.dataset.theme); } catch { /* not kept */ }
}

function recallTheme() {
  try {
    const kept = localStorage.getItem("vlmops-report-theme");
    if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  } catch { /* none is kept */ }
}

const KEYS = {
  j: () => list.go(list.at + 1), ArrowDown: () => list.go(list.at + 1),
  k: () => list.go(list.at - 1), ArrowUp: () => list.go(list.at - 1),
  PageDown: () => list.go(list.at + 10), PageUp: () => list.go(list.at - 10),
  Home: () => list.go(0), End: () => list.go(choice.found.length - 1),
  "/": () => byId("text").focus(), "?": () => byId("help").showModal(),
  d: () => flip("differences"), b: () => flip("boxes"), t: switchTheme, o: nextOrder,
};
const IN_LIST_ALONE = new Set(["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End"]);

function nextOrder() {
  const orders = [...byId("order").options].map((option) => option.value);
  choice.set({ order: orders[(orders.indexOf(choice.state.order) + 1) % orders.length] });
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const field = event.target.closest("input, select, textarea");
  if (field) {
    if (event.key === "Escape") byId("list").focus({ preventScroll: true });
    return;
  }
  const act = KEYS[event.key];
  if (!act || (IN_LIST_ALONE.has(event.key) && document.activeElement !== byId("list"))) return;
  event.preventDefault();
  act();
  if ("jk/".includes(event.key)) byId("samples").scrollIntoView({ block: "nearest" });
}

// Prompts of each variant against the baseline's, word by word.
function showPrompts() {
  for (const setting of data.settings) {
    const first = setting.values[0];
    byId("prompts").append(make("div", { class: "prompts" }, ...setting.values.map((text, at) => make("section", { class: "card" },
      make("h4", {}, badge(at), make("span", { class: "name" }, setting.name), at ? make("span", { class: "n" }, text === first ? "same as A" : "against A") : null),
      text === null ? make("p", { class: "note" }, "not recorded") : at && first !== null ? marked(first, text) : make("div", { class: "text" }, text)))));
  }
}

function print() {
  const worst = choice.found.slice(0, PRINTED);
  byId("printed").replaceChildren(
    make("h2", {}, worst.length < choice.found.length ? `The first ${worst.length} of ${choice.found.length} chosen samples` : "Chosen samples"),
    ...worst.map((number) => make("article", {}, ...sampleParts(number))),
  );
}

function start() {
  recallTheme();
  setUpTradeOff();
  setUpHistogram();
  setUpHistory();
  showPrompts();
  setUpChoice();
  setUpList();
  choice.listeners.push(afterFrame(drawHistogram));
  choice.apply();
  document.addEventListener("keydown", onKey);
  byId("theme").addEventListener("click", switchTheme);
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  addEventListener("beforeprint", print);
  addEventListener("afterprint", () => byId("printed").replaceChildren());
  addEventListener("hashchange", () => { if (location.hash.startsWith("#samples?")) { Object.assign(choice.state, EMPTY); choice.recall(); choice.apply(); } });
  requestAnimationFrame(() => setTimeout(() => {
    pictures = JSON.parse(byId("pictures").textContent);
    list.show();
    if (view.current !== null) showSample(view.current);
    whenIdle(() => prepareSearch());
    document.documentElement.dataset.ready = "true";
  }));
}

start();
