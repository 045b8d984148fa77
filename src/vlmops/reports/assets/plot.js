// What charts share: scales, axes, points.

function ticks(low, high, wanted = 5) {
  const step = (high - low) / wanted || 1, power = 10 ** Math.floor(Math.log10(step));
  const nice = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= step);
  const found = [];
  const first = Math.ceil(low / nice - 1e-9), last = Math.floor(high / nice + 1e-9);
  for (let at = first; at <= Math.min(last, first + 20); at++) found.push(at * nice);
  return found;
}

const tick = (value) => {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 1e5) ? value.toExponential(0) : String(Number(value.toPrecision(6)));
};

// Least and greatest with some air; never an empty range.
function extent(values, air = 0.08) {
  const known = values.filter((value) => Number.isFinite(value));
  if (!known.length) return [0, 1];
  let low = Math.min(...known), high = Math.max(...known);
  // Means of equal values differ in their last digits.
  if (high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high))) [low, high] = [low - (Math.abs(low) || 1) * 0.5, high + (Math.abs(high) || 1) * 0.5];
  const room = (high - low) * air;
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

function scale([low, high], [from, to]) {
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

function frame(width, height, box, x, y, labels) {
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": labels.title });
  const across = scale(x, [box.left, box.right]), up = scale(y, [box.bottom, box.top]);
  for (const value of ticks(...y, 4)) {
    svg.append(
      draw("line", { class: "grid", x1: box.left, x2: box.right, y1: up(value), y2: up(value) }),
      draw("text", { class: "tick", x: box.left - 8, y: up(value) + 4, "text-anchor": "end" }, tick(value)),
    );
  }
  for (const value of labels.ticks || ticks(...x, 5)) {
    svg.append(
      draw("line", { class: "grid", x1: across(value), x2: across(value), y1: box.top, y2: box.bottom }),
      draw("text", { class: "tick", x: across(value), y: box.bottom + 17, "text-anchor": "middle" }, labels.name ? labels.name(value) : tick(value)),
    );
  }
  svg.append(
    draw("text", { class: "axis", x: box.right, y: box.bottom + 35, "text-anchor": "end" }, labels.x),
    draw("text", { class: "axis", x: box.left, y: box.top - 10 }, labels.y),
  );
  return { svg, across, up };
}

const ARROWS = { maximize: "↑", minimize: "↓", none: "" };
const BETTER = { maximize: "more is better", minimize: "less is better", none: "" };
const titled = (measure) => [measure.name + (measure.unit ? `, ${measure.unit}` : ""), BETTER[measure.direction]].filter(Boolean).join(" – ");

// The variant's letter on a disc, at a place of a chart.
function point(at, x, y, title) {
  return draw("g", { class: "point", "data-v": at % 6 }, draw("title", {}, title),
    draw("circle", { cx: x, cy: y, r: 10 }), draw("text", { x, y: y + 4, "text-anchor": "middle" }, data.variants[at].letter));
}
