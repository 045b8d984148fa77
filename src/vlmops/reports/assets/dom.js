// Elements are made of text alone: nothing that came from a model or a person is ever parsed as markup.

const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

const make = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
const draw = (tag, attributes, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

const badge = (at) => make("span", { class: "badge", "data-v": at % 6 }, data.variants[at].letter);

function link(url, ...children) {
  return /^https?:\/\//i.test(url)
    ? make("a", { href: url, target: "_blank", rel: "noreferrer noopener" }, ...children)
    : make("span", {}, ...children);
}

function options(select, entries, chosen) {
  select.replaceChildren(
    ...entries.map((entry) =>
      !Array.isArray(entry)
        ? make("optgroup", { label: entry.label }, ...entry.entries.map(([value, text]) => make("option", { value }, text)))
        : make("option", { value: entry[0] }, entry[1]),
    ),
  );
  if (chosen !== undefined) select.value = chosen;
}

function shown(value, unit = "") {
  if (value === null || value === undefined) return "–";
  if (value === true) return "pass";
  if (value === false) return "fail";
  if (typeof value === "string") return value;
  const size = Math.abs(value);
  let text;
  if (unit === "USD") text = Number(value.toPrecision(3)).toString();
  else if (unit === "tokens" || size >= 1000) text = value.toFixed(0);
  else if (size !== 0 && size < 0.001) text = value.toExponential(1);
  else text = value.toFixed(size >= 100 ? 1 : 3);
  return unit ? `${text} ${unit}` : text;
}

const whenIdle = window.requestIdleCallback ? (act) => requestIdleCallback(act) : (act) => setTimeout(act, 20);

// What need not be seen with the first frame is done after it, the last that was asked for alone.
function afterFrame(act) {
  let asked = 0;
  return (...given) => {
    const own = ++asked;
    requestAnimationFrame(() => setTimeout(() => { if (own === asked) act(...given); }));
  };
}

const data = JSON.parse(byId("data").textContent);
let pictures = null; // parsed after the first paint: they are most of the page's bytes
