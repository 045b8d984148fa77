// Word by word, by Myers' shortest edit script.

const WORDS = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;
const MOST_WORDS = 4000;
const MOST_EDITS = 1200;

// Pieces [kind, text]: 0 in both, 1 only after, -1 only before; null where it would take too long.
function difference(before, after) {
  const a = before.match(WORDS) || [], b = after.match(WORDS) || [];
  if (a.length > MOST_WORDS || b.length > MOST_WORDS) return null;
  const edits = Math.min(a.length + b.length, MOST_EDITS), middle = edits + 1;
  let reach = new Int32Array(2 * edits + 3);
  const steps = [];
  for (let cost = 0; cost <= edits; cost++) {
    steps.push(reach.slice(middle - cost - 1, middle + cost + 2));
    for (let k = -cost; k <= cost; k += 2) {
      const down = k === -cost || (k !== cost && reach[middle + k - 1] < reach[middle + k + 1]);
      let x = down ? reach[middle + k + 1] : reach[middle + k - 1] + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) x++, y++;
      reach[middle + k] = x;
      if (x >= a.length && y >= b.length) return pieces(a, b, steps);
    }
  }
  return null;
}

function pieces(a, b, steps) {
  const found = [];
  let x = a.length, y = b.length;
  for (let cost = steps.length - 1; cost >= 0; cost--) {
    const reach = steps[cost], middle = cost + 1, k = x - y;
    const down = k === -cost || (k !== cost && reach[middle + k - 1] < reach[middle + k + 1]);
    const fromK = down ? k + 1 : k - 1;
    const fromX = cost === 0 ? 0 : reach[middle + fromK], fromY = cost === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY) found.push([0, a[--x]]), y--;
    if (cost > 0) found.push(down ? [1, b[--y]] : [-1, a[--x]]);
  }
  return joined(found.reverse());
}

function joined(found) {
  const together = [];
  for (const [kind, text] of found) {
    const last = together[together.length - 1];
    if (last && last[0] === kind) last[1] += text;
    else together.push([kind, text]);
  }
  return together;
}

// An element with the text `after`, marked against `before`; without markup where they cannot be compared.
function marked(before, after) {
  const found = before === null || before === after ? null : difference(before, after);
  if (!found) return make("div", { class: "text" }, after);
  return make("div", { class: "text" }, ...found.map(([kind, text]) =>
    kind === 0 ? text : make(kind > 0 ? "ins" : "del", { title: kind > 0 ? "not expected" : "missing" }, text)));
}
