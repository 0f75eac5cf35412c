/**
 * Charts as SVG and tables: lines over axes, and a matrix with shaded cells.
 *
 * Small on purpose. A chart is drawn whole each time; a run has a handful, and their data changes ten times a second at most.
 */
import { html, svg } from './dom';
import { shortNumber } from './format';
import { seriesColour, seriesDash } from './look';
import type { ConfusionMatrix, ScalarTable, Series } from './metrics';
import type { CurvePoint } from './protocol';
import type { Translation } from './translation';

/** What a line chart shows. */
export interface LineChart {
  title: string;
  series: Series[];
  xLabel: string;
  yLabel: string;
  /** Both axes from 0 to 1, with the diagonal of pure chance, as a ROC curve has them. */
  unit?: boolean;
  /** What stands behind a series' name in the legend. */
  notes?: string[];
}

const WIDTH = 320;
const HEIGHT = 208;
const LEFT = 44;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 34;
/** How many columns of numbers a table may have while it could have rows instead. */
const MOST_COLUMNS = 6;

/** Return a chart with its title and legend. */
export function lineChart(chart: LineChart): HTMLElement {
  const points = chart.series.flatMap(series => series.points);
  const x = chart.unit === true ? unitAxis() : axis(points.map(point => point[0]), true);
  const y = chart.unit === true ? unitAxis() : axis(points.map(point => point[1]), false);
  const toX = (value: number): number => LEFT + ((value - x.low) / (x.high - x.low)) * (WIDTH - LEFT - RIGHT);
  const toY = (value: number): number => HEIGHT - BOTTOM - ((value - y.low) / (y.high - y.low)) * (HEIGHT - TOP - BOTTOM);
  const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'kfp-chart-picture', role: 'img' });
  picture.setAttribute('aria-label', spokenChart(chart));
  for (const tick of x.ticks) {
    picture.append(svg('line', { class: 'kfp-chart-grid', x1: toX(tick), x2: toX(tick), y1: TOP, y2: HEIGHT - BOTTOM }));
    picture.append(text(shortNumber(tick), toX(tick), HEIGHT - BOTTOM + 13, 'middle'));
  }
  for (const tick of y.ticks) {
    picture.append(svg('line', { class: 'kfp-chart-grid', x1: LEFT, x2: WIDTH - RIGHT, y1: toY(tick), y2: toY(tick) }));
    picture.append(text(shortNumber(tick), LEFT - 6, toY(tick) + 3.5, 'end'));
  }
  const across = text(chart.xLabel, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 5, 'middle');
  const middle = (TOP + HEIGHT - BOTTOM) / 2;
  const upright = text(chart.yLabel, 9, middle, 'middle');
  upright.setAttribute('transform', `rotate(-90 9 ${middle})`);
  picture.append(across, upright);
  if (chart.unit === true) {
    picture.append(svg('line', { class: 'kfp-chart-chance', x1: toX(0), y1: toY(0), x2: toX(1), y2: toY(1) }));
  }
  chart.series.forEach((series, index) => {
    picture.append(...drawnSeries(series.points, index, toX, toY));
  });
  return html(
    'figure',
    { class: 'kfp-chart' },
    html('figcaption', { class: 'kfp-chart-title' }, chart.title),
    picture,
    legend(chart)
  );
}

function drawnSeries(
  points: readonly CurvePoint[],
  index: number,
  toX: (value: number) => number,
  toY: (value: number) => number
): SVGElement[] {
  const place = points.map(([x, y]) => `${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`);
  const line = svg('polyline', {
    class: 'kfp-chart-line',
    points: place.join(','),
    'stroke-dasharray': seriesDash(index) === '' ? null : seriesDash(index)
  });
  line.style.stroke = seriesColour(index);
  const last = points.at(-1);
  if (last === undefined || points.length > 1) {
    return [line];
  }
  // A single point makes no line.
  const dot = svg('circle', { cx: toX(last[0]), cy: toY(last[1]), r: 3 });
  dot.style.fill = seriesColour(index);
  return [line, dot];
}

function legend(chart: LineChart): HTMLElement {
  const items = chart.series.map((series, index) => {
    const dash = seriesDash(index);
    const sample = svg('line', { x1: 0, x2: 18, y1: 5, y2: 5, 'stroke-dasharray': dash === '' ? null : dash });
    sample.style.stroke = seriesColour(index);
    const note = chart.notes?.[index];
    return html(
      'li',
      {},
      svg('svg', { width: 18, height: 10, class: 'kfp-chart-sample', 'aria-hidden': 'true' }, sample),
      html('span', {}, series.label),
      note !== undefined && html('span', { class: 'kfp-dim' }, note)
    );
  });
  return html('ul', { class: 'kfp-chart-legend' }, ...items);
}

function spokenChart(chart: LineChart): string {
  const lines = chart.series.map((series, index) => {
    const last = series.points.at(-1);
    const end = chart.notes?.[index] ?? (last === undefined ? '' : shortNumber(last[1]));
    return `${series.label} ${end}`.trim();
  });
  return `${chart.title}: ${lines.join('; ')}`;
}

function text(content: string, x: number, y: number, anchor: string): SVGTextElement {
  const element = svg('text', { class: 'kfp-chart-text', x, y, 'text-anchor': anchor });
  element.textContent = content;
  return element;
}

interface Axis {
  low: number;
  high: number;
  ticks: number[];
}

function unitAxis(): Axis {
  return { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1] };
}

/**
 * Return an axis with round ticks over the values.
 *
 * @param tight - End the axis with the values, not with a tick.
 */
export function axis(values: readonly number[], tight: boolean): Axis {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) {
    return { low: 0, high: 1, ticks: [0, 1] };
  }
  if (low === high) {
    const around = tight ? 1 : Math.abs(low) / 10 || 1;
    low -= tight ? 0 : around;
    high += around;
  }
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find(each => each * power >= rough * 0.999) ?? 10) * power;
  const first = tight ? Math.ceil(low / step) : Math.floor(low / step);
  const last = tight ? Math.floor(high / step) : Math.ceil(high / step);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
  return tight ? { low, high, ticks } : { low: first * step, high: last * step, ticks };
}

/** Return the table of a confusion matrix; cells are shaded by their share of the row. */
export function matrixTable(matrix: ConfusionMatrix, trans: Translation): HTMLElement {
  const head = html(
    'tr',
    {},
    html('th', { scope: 'col', class: 'kfp-matrix-corner' }, trans.__('true ╲ predicted')),
    ...matrix.categories.map(category => html('th', { scope: 'col' }, category))
  );
  const body = matrix.rows.map((row, index) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    const cells = row.map(value => {
      const share = total > 0 ? value / total : 0;
      const cell = html('td', { title: trans.__('%1 % of the row', (share * 100).toFixed(1)) }, shortNumber(value));
      cell.style.setProperty('--kfp-share', `${Math.round(share * 78)}%`);
      cell.classList.toggle('kfp-mod-strong', share > 0.55);
      return cell;
    });
    return html('tr', {}, html('th', { scope: 'row' }, matrix.categories[index]), ...cells);
  });
  return html(
    'figure',
    { class: 'kfp-chart kfp-mod-table' },
    html('figcaption', { class: 'kfp-chart-title' }, trans.__('Confusion matrix · %1', matrix.label)),
    html('table', { class: 'kfp-matrix' }, html('thead', {}, head), html('tbody', {}, ...body))
  );
}

/**
 * Return scalar metrics as a table: a row for each task, or for each metric where there are many of a few tasks, which would otherwise
 * have to be scrolled sideways.
 */
export function scalarTable(table: ScalarTable, trans: Translation): HTMLElement {
  const column = (name: string): HTMLElement => html('th', { scope: 'col', class: 'kfp-number' }, name);
  const row = (name: string, cells: HTMLElement[]): HTMLElement =>
    html('tr', {}, html('th', { scope: 'row' }, name), ...cells);
  const upright = table.names.length > MOST_COLUMNS && table.rows.length <= MOST_COLUMNS;
  const head = upright
    ? [html('th', { scope: 'col' }, trans.__('Metric')), ...table.rows.map(({ label }) => column(label))]
    : [html('th', { scope: 'col' }, trans.__('Task')), ...table.names.map(column)];
  const body = upright
    ? table.names.map(name => row(name, table.rows.map(({ values }) => scalarCell(values.get(name)))))
    : table.rows.map(({ label, values }) => row(label, table.names.map(name => scalarCell(values.get(name)))));
  const content = html('table', { class: 'kfp-table' }, html('thead', {}, html('tr', {}, ...head)), html('tbody', {}, ...body));
  return html('div', { class: 'kfp-table-scroll' }, content);
}

function scalarCell(value: number | string | undefined): HTMLElement {
  const shown = value === undefined ? '–' : typeof value === 'number' ? shortNumber(value) : value;
  return html('td', { class: 'kfp-number', title: value === undefined ? null : String(value) }, shown);
}
