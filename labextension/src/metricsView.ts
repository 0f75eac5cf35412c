/**
 * The metrics of a run or of one task on the page.
 */
import { lineChart, matrixTable, scalarTable } from './charts';
import { html } from './dom';
import { shortNumber } from './format';
import { type RunMetrics, hasMetrics, metricsOf } from './metrics';
import type { FullDocument } from './protocol';
import type { Translation } from './translation';

/** Return the tables and charts of what was measured. */
export function metricsElement(metrics: RunMetrics, trans: Translation): HTMLElement {
  const { scalars, rocs, matrices, curves } = metrics;
  const charts = html('div', { class: 'kfp-charts' });
  if (rocs.length > 0) {
    charts.append(
      lineChart({
        title: trans.__('ROC curve'),
        series: rocs,
        xLabel: trans.__('false positive rate'),
        yLabel: trans.__('true positive rate'),
        unit: true,
        notes: rocs.map(roc => trans.__('AUC %1', shortNumber(roc.auc)))
      })
    );
  }
  for (const { name, series } of curves) {
    const notes = series.map(each => shortNumber(each.points.at(-1)?.[1] ?? NaN));
    charts.append(lineChart({ title: name, series, xLabel: trans.__('step'), yLabel: name, notes }));
  }
  charts.append(...matrices.map(matrix => matrixTable(matrix, trans)));
  return html(
    'div',
    { class: 'kfp-metrics' },
    scalars.rows.length > 0 && scalarTable(scalars, trans),
    charts.childElementCount > 0 && charts
  );
}

/** The metrics of a document, drawn anew only when there is something new. */
export class MetricsView {
  /** The element to put on the page; empty while there are no metrics. */
  readonly node = html('div');
  private key = '';

  constructor(private readonly trans: Translation) {}

  /**
   * Show a document's metrics.
   *
   * @param only - The path of the one task to show; all of them without it.
   * @returns whether there are any.
   */
  show(document: FullDocument | null, only?: string): boolean {
    const key = document === null ? '' : metricsKey(document, only);
    if (key !== this.key) {
      this.key = key;
      const metrics = document === null ? null : metricsOf(document, only);
      const shown = metrics !== null && hasMetrics(metrics);
      this.node.replaceChildren(...(shown ? [metricsElement(metrics, this.trans)] : []));
    }
    return this.node.childElementCount > 0;
  }
}

/** Something that is another whenever a metric is, and costs less than drawing: points are only ever added to a curve. */
function metricsKey({ run }: FullDocument, only?: string): string {
  const parts: unknown[] = [run.id, only];
  for (const [path, task] of Object.entries(run.tasks)) {
    const curves = Object.entries(task.curves).map(([name, points]) => [name, points.length, points.at(-1)]);
    const artifacts = Object.values(task.artifacts).flatMap(list => list.map(each => Object.keys(each.metadata).length));
    if (curves.length + artifacts.length > 0) {
      parts.push(path, task.attempt, curves, artifacts);
    }
  }
  return JSON.stringify(parts);
}
