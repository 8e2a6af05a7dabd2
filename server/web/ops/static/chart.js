// Arrivals per minute: with the chart's library where it is installed, else as plain bars; the figures stand beside it anyway.

const MINUTE_S = 60;
const MOST_BARS = 240;

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export class Chart {
  constructor(place) {
    this.place = place;
    this.plot = null;
    this.last = null;
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.renew());
  }

  size() {
    return { width: this.place.clientWidth, height: this.place.clientHeight };
  }

  renew() {
    this.plot?.destroy();
    this.plot = null;
    if (this.last) this.show(this.last);
  }

  show(arrivals) {
    this.last = arrivals;
    if (!arrivals.beginsAt) return;
    if (globalThis.uPlot) this.draw(arrivals);
    else this.drawPlainly(arrivals.perMinute);
  }

  draw(arrivals) {
    const begin = Date.parse(arrivals.beginsAt) / 1000;
    const whole = arrivals.perMinute.slice(0, -1); // the present minute is not over, and would look like a slump
    const counts = whole.length ? whole : arrivals.perMinute;
    const data = [counts.map((_, place) => begin + place * MINUTE_S), counts, this.expect(arrivals, counts.length)];
    this.extend(data, arrivals.forecast);
    if (this.plot) this.plot.setData(data);
    else this.plot = new globalThis.uPlot(this.options(), data, this.clear());
  }

  clear() {
    this.place.replaceChildren();
    return this.place;
  }

  /** The forecast's bell, from now on. */
  expect(arrivals, seen) {
    return new Array(seen).fill(null);
  }

  extend(data, forecast) {
    if (!forecast || forecast.isOver) return;
    const [times, counts, expected] = data;
    const [peak, end] = [Date.parse(forecast.peakAt) / 1000, Date.parse(forecast.endsAt) / 1000];
    const spread = Math.max(MINUTE_S, (end - peak) / 1.6449);
    const last = times[times.length - 1];
    for (let time = last; time <= end + spread && expected.length < counts.length + MOST_BARS; time += MINUTE_S) {
      if (time > last) {
        times.push(time);
        counts.push(null);
        expected.push(null);
      }
      expected[expected.length - 1] = forecast.peakPerMinute * Math.exp(-(((time - peak) / spread) ** 2) / 2);
    }
  }

  options() {
    const [accent, quiet, line] = ["--accent", "--quiet", "--line"].map(css);
    const axis = { stroke: quiet, font: "12px system-ui", grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    return {
      ...this.size(),
      cursor: { show: false },
      legend: { show: false },
      padding: [8, 8, 0, 0],
      scales: { y: { range: (_, __, most) => [0, Math.max(5, most * 1.08)] } },
      axes: [{ ...axis, values: (_, times) => times.map((one) => new Date(one * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })) }, { ...axis, size: 44 }],
      series: [
        {},
        { stroke: accent, width: 2.5, fill: `${accent}2e`, points: { show: false } },
        { stroke: quiet, width: 2, dash: [5, 5], points: { show: false } },
      ],
    };
  }

  drawPlainly(perMinute) {
    const path = this.place.querySelector("path");
    const { width, height } = this.place.querySelector("svg").viewBox.baseVal;
    const share = Math.max(1, Math.ceil(perMinute.length / MOST_BARS));
    const means = [];
    for (let place = 0; place < perMinute.length; place += share) {
      const group = perMinute.slice(place, place + share);
      means.push(group.reduce((sum, one) => sum + one, 0) / group.length);
    }
    const most = Math.max(1, ...means);
    const step = width / Math.max(30, means.length);
    path.setAttribute("d", means.map((mean, place) => (mean ? `M${place * step} ${height}v${-(mean / most) * (height - 6)}h${step * 0.8}V${height}z` : "")).join(""));
  }
}
