// Lines of the last five minutes, drawn as SVG. Nothing of a user is in them.
const SVG = 'http://www.w3.org/2000/svg';
const POINTS = 150;
const WIDTH = 300;
const HEIGHT = 80;

/** A chart with its caption, to which values are added one after the other. */
export class Chart {
  #values = [];
  #path = document.createElementNS(SVG, 'path');
  #last = document.createElement('span');

  constructor(into, title, unit) {
    this.title = title;
    this.unit = unit;
    this.svg = document.createElementNS(SVG, 'svg');
    this.svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    this.svg.setAttribute('preserveAspectRatio', 'none');
    this.svg.setAttribute('role', 'img');
    const base = document.createElementNS(SVG, 'line');
    for (const [name, value] of [['x1', 0], ['x2', WIDTH], ['y1', HEIGHT - 1], ['y2', HEIGHT - 1]]) base.setAttribute(name, value);
    this.svg.append(base, this.#path);
    const caption = document.createElement('figcaption');
    const name = document.createElement('span');
    name.textContent = title;
    caption.append(name, this.#last);
    const figure = document.createElement('figure');
    figure.className = 'chart';
    figure.append(caption, this.svg);
    into.append(figure);
  }

  add(value) {
    this.#values.push(value);
    if (this.#values.length > POINTS) this.#values.shift();
    const top = Math.max(...this.#values, Number.MIN_VALUE);
    const step = WIDTH / (POINTS - 1);
    const start = WIDTH - (this.#values.length - 1) * step;
    const y = one => (HEIGHT - 2 - (one / top) * (HEIGHT - 6)).toFixed(1);
    this.#path.setAttribute('d', this.#values.map((one, i) => `${i ? 'L' : 'M'}${(start + i * step).toFixed(1)} ${y(one)}`).join(''));
    this.#last.textContent = `${short(value)} ${this.unit}, at most ${short(top)}`;
    this.svg.setAttribute('aria-label', `${this.title}: ${this.#last.textContent}`);
  }
}

/** A number with about three digits. */
export function short(value) {
  if (value === Number.MIN_VALUE) return '0';
  if (value >= 1e9) return `${(value / 1e9).toPrecision(3)} G`;
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  return value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(3)).toString();
}
