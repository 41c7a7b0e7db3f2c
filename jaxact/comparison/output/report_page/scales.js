// Scales: from values to pixels and back, their ticks, and numbers as text.

const FONT_SIZE = 12; // of texts in charts, as in page.css

const number = (value, digits = 4) =>
  value === null || value === undefined
    ? "N/A"
    : String(Number(value.toPrecision(digits))).replaceAll("-", "\u2212");

/** A number of an axis in words; an interval about it where it has one. */
function reading(axis, value, low = null, high = null) {
  const words = (v) => axis.reading.replace("{}", number(v));
  const end = (v) => (v === null ? "open" : words(v));
  const interval = low === null && high === null ? "" : ` (${end(low)} to ${end(high)})`;
  return words(value) + interval;
}

const textWidth = (() => {
  const context = document.createElement("canvas").getContext("2d");
  return (text, size = FONT_SIZE) => {
    context.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
    return context.measureText(text).width;
  };
})();

/** A text that is no longer than some pixels; what is cut off is the beginning. */
function fitted(text, pixels) {
  if (textWidth(text) <= pixels) return text;
  let rest = text;
  while (rest.length > 1 && textWidth(`…${rest}`) > pixels) rest = rest.slice(1);
  return `…${rest}`;
}

function scaleOf(isLog, [low, high], [from, to]) {
  const height = isLog ? Math.log10 : (value) => value;
  const [first, last] = [height(low), height(high)];
  return {
    limits: [low, high],
    at: (value) => from + ((height(value) - first) / (last - first)) * (to - from),
    value: (pixel) => {
      const found = first + ((pixel - from) / (to - from)) * (last - first);
      return isLog ? 10 ** found : found;
    },
  };
}

function linearTicks([low, high], most, isCounted) {
  const least = (high - low) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(least));
  const steps = [1, 2, 5, 10].map((times) => times * power);
  const step = Math.max(steps.find((one) => one >= least * (1 - 1e-9)), isCounted ? 1 : 0);
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

/** 1, 2 and 5 times powers of ten, powers alone, or some of these: as many as there may be. */
function logTicks([low, high], most) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const powers = Array.from({ length: last - first + 1 }, (_, k) => first + k);
  const within = (values) => values.filter((value) => low * (1 - 1e-9) <= value && value <= high * (1 + 1e-9));
  const fine = within(powers.flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power)));
  if (fine.length < 3) return linearTicks([low, high], most, false).filter((value) => value > 0);
  if (fine.length <= most) return fine;
  const every = Math.ceil(within(powers.map((power) => 10 ** power)).length / Math.max(most, 1));
  return within(powers.filter((power) => power % every === 0).map((power) => 10 ** power));
}

function ticksOf(axis, limits, most) {
  return axis.scale === "log" ? logTicks(limits, most) : linearTicks(limits, most, axis.is_counted);
}

/** Ticks of a horizontal axis, [value, text], as many as stand side by side. */
function spacedTicks(axis, scale, width, zone) {
  const [low, high] = scale.limits;
  const middle = zone && (zone.low + zone.high) / 2;
  const own = zone && low <= middle && middle <= high ? [[middle, zone.text]] : [];
  for (let most = Math.max(2, Math.floor(width / 60)); most > 0; most -= 1) {
    const values = ticksOf(axis, [low, high], most).filter((value) => !zone || value < zone.low);
    const ticks = [...values.map((value) => [value, number(value, 12)]), ...own];
    const ends = ticks.map(([value, text]) => [scale.at(value), textWidth(text) / 2]);
    const isSpaced = ends.every(([at, half], k) => !k || at - half - 10 > ends[k - 1][0] + ends[k - 1][1]);
    if (isSpaced) return ticks;
  }
  return own;
}
