/**
 * The metrics of a run, as tables and series: taken from the metadata of metric artifacts and from step curves.
 *
 * The metadata has the form that KFP's SDK gives it: `system.Metrics` holds numbers by name, and
 * `system.ClassificationMetrics` holds `confidenceMetrics` (a ROC curve) and `confusionMatrix`. Anything that has not
 * that form is passed over, since artifacts may carry whatever a user wrote; and a number that a task gives out as a
 * parameter is its output and no metric.
 */
import { nodeOf } from './iterations';
import { type CurvePoint, type FullDocument, type JsonObject, type TaskRun, isObject } from './protocol';
import { taskNames } from './taskNames';

/** What stands for the numbers that JSON has none for. */
const NO_JSON_NUMBER: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity']);

/** A line of a chart. */
export interface Series {
  label: string;
  points: CurvePoint[];
}

/** The ROC curve of a task. */
export interface RocCurve extends Series {
  /** The area under the curve. */
  auc: number;
}

/** The confusion matrix of a task. */
export interface ConfusionMatrix {
  label: string;
  /** The classes, by row (what is true) and by column (what was predicted). */
  categories: string[];
  /** Counts: a row for each true class. */
  rows: number[][];
}

/** Scalar metrics: a row for each task, a column for each name. */
export interface ScalarTable {
  names: string[];
  rows: { label: string; values: Map<string, number | string> }[];
}

/** A chart of one metric over steps, a line for each task that logged it. */
export interface CurveChart {
  name: string;
  series: Series[];
}

/** Everything that a run, or some of its tasks, measured. */
export interface RunMetrics {
  scalars: ScalarTable;
  matrices: ConfusionMatrix[];
  rocs: RocCurve[];
  curves: CurveChart[];
}

/**
 * Return the metrics of a run.
 *
 * @param only - The path of the one task to look at; all of them without it.
 */
export function metricsOf(document: FullDocument, only?: string): RunMetrics {
  const found: RunMetrics = { scalars: { names: [], rows: [] }, matrices: [], rocs: [], curves: [] };
  for (const [label, task] of labelledTasks(document, only)) {
    const values = new Map<string, number | string>();
    for (const artifact of Object.values(task.artifacts).flat()) {
      if (artifact.type === 'system.Metrics') {
        addScalars(values, artifact.metadata);
      } else if (artifact.type === 'system.ClassificationMetrics') {
        const matrix = confusionMatrix(artifact.metadata);
        const points = rocPoints(artifact.metadata);
        if (matrix !== null) {
          found.matrices.push({ label, ...matrix });
        }
        if (points.length > 1) {
          found.rocs.push({ label, points, auc: area(points) });
        }
      }
    }
    if (values.size > 0) {
      found.scalars.rows.push({ label, values });
      found.scalars.names = [...new Set([...found.scalars.names, ...values.keys()])];
    }
    for (const [name, points] of Object.entries(task.curves)) {
      const chart = found.curves.find(each => each.name === name) ?? { name, series: [] };
      if (chart.series.length === 0) {
        found.curves.push(chart);
      }
      chart.series.push({ label, points });
    }
  }
  return found;
}

/** Say whether there is anything to show. */
export function hasMetrics(metrics: RunMetrics): boolean {
  const { scalars, matrices, rocs, curves } = metrics;
  return scalars.rows.length + matrices.length + rocs.length + curves.length > 0;
}

/** Return the area under a curve, by trapezoids. */
export function area(points: readonly CurvePoint[]): number {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let sum = 0;
  sorted.forEach(([x, y], index) => {
    const before = sorted[index - 1];
    if (before !== undefined) {
      sum += ((x - before[0]) * (y + before[1])) / 2;
    }
  });
  return sum;
}

function labelledTasks(document: FullDocument, only?: string): [string, TaskRun][] {
  const order = new Map(document.graph.nodes.map((node, index) => [node.id, index]));
  const place = (path: string): number => order.get(nodeOf(path)) ?? Infinity;
  const names = taskNames(document);
  return Object.entries(document.run.tasks)
    .filter(([path]) => only === undefined || path === only)
    .sort(([a], [b]) => place(a) - place(b))
    .map(([path, task]) => [names.get(path) ?? path, task]);
}

function addScalars(values: Map<string, number | string>, metadata: JsonObject): void {
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value === 'number' || (typeof value === 'string' && NO_JSON_NUMBER.has(value))) {
      values.set(name, value);
    }
  }
}

function rocPoints(metadata: JsonObject): CurvePoint[] {
  const list = unwrapped(metadata.confidenceMetrics, 'list');
  if (!Array.isArray(list)) {
    return [];
  }
  return list.flatMap(each => {
    const point = isObject(each) ? each : {};
    const { falsePositiveRate: x, recall: y } = point;
    return typeof x === 'number' && typeof y === 'number' ? [[x, y] as CurvePoint] : [];
  });
}

function confusionMatrix(metadata: JsonObject): { categories: string[]; rows: number[][] } | null {
  const matrix = unwrapped(metadata.confusionMatrix, 'struct');
  if (!isObject(matrix) || !Array.isArray(matrix.annotationSpecs) || !Array.isArray(matrix.rows)) {
    return null;
  }
  const categories = matrix.annotationSpecs.map(spec => (isObject(spec) ? String(spec.displayName) : ''));
  const rows = matrix.rows.map((row: unknown) => {
    const cells = isObject(row) ? row.row : row;
    return Array.isArray(cells) ? cells.map(Number) : [];
  });
  return categories.length > 0 && rows.length === categories.length ? { categories, rows } : null;
}

/** KFP's metadata store wraps what is no plain value: `{"struct": …}`, `{"list": …}`. */
function unwrapped(value: unknown, wrapper: string): unknown {
  return isObject(value) && wrapper in value ? value[wrapper] : value;
}
