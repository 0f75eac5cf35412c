import { expect, test } from 'vitest';

import { axis } from '../src/charts';
import { metricsElement } from '../src/metricsView';
import { area, hasMetrics, metricsOf } from '../src/metrics';
import { ENGLISH } from '../src/translation';
import { runDocument, taskOf } from './documents';

test('scalars are a row for each task that has them', () => {
  const { scalars } = metricsOf(runDocument('succeeded'));
  expect(scalars.names).toEqual(['accuracy', 'f1', 'test_rows']);
  expect(scalars.rows.map(row => [row.label, row.values.get('accuracy')])).toEqual([
    ['evaluate', 0.972],
    ['evaluate-2', 0.944]
  ]);
});

test('scalars are the numbers of metrics artifacts, and no outputs, curves or words', () => {
  const held = runDocument('running');
  const metadata = { metricCurves: { loss: [[0, 1]] }, loss: 'NaN', rows: 3, kind: 'forest', flag: true };
  taskOf(held, 'load').outputs = { Output: 7 };
  taskOf(held, 'load').artifacts = { odd: [{ type: 'system.Metrics', uri: '', path: '', metadata }] };
  const { scalars } = metricsOf(held, 'load');
  expect([...(scalars.rows[0]?.values ?? [])]).toEqual([
    ['loss', 'NaN'],
    ['rows', 3]
  ]);
});

test('ROC curves of several tasks are laid over each other, with the area under each', () => {
  const { rocs } = metricsOf(runDocument('succeeded'));
  expect(rocs.map(roc => roc.label)).toEqual(['evaluate', 'evaluate-2']);
  expect(rocs[0]?.auc).toBeGreaterThan(0.9);
  expect(rocs[0]?.auc).toBeLessThan(1);
});

test('the area under the diagonal is a half, whatever the order of the points', () => {
  expect(area([[1, 1], [0, 0], [0.5, 0.5]])).toBeCloseTo(0.5);
  expect(area([[0, 1], [1, 1], [0, 0]])).toBeCloseTo(1);
});

test('curves of one name are one chart, also while their task runs', () => {
  const { curves } = metricsOf(runDocument('running'));
  expect(curves.map(chart => [chart.name, chart.series.map(series => series.label)])).toEqual([['loss', ['train-forest']]]);
  expect(metricsOf(runDocument('succeeded')).curves[0]?.series).toHaveLength(2);
});

test('the metrics of one task are its own', () => {
  const found = metricsOf(runDocument('succeeded'), 'evaluate-2');
  expect(found.scalars.rows).toHaveLength(1);
  expect(found.matrices.map(matrix => matrix.label)).toEqual(['evaluate-2']);
  expect(hasMetrics(metricsOf(runDocument('succeeded'), 'load'))).toBe(false);
});

test('a confusion matrix is read with its rows as objects or as lists, and wrapped or not', () => {
  const held = runDocument('running');
  const annotationSpecs = [{ displayName: 'no' }, { displayName: 'yes' }];
  const metadata = (confusionMatrix: object) => ({
    confusion: [{ type: 'system.ClassificationMetrics', uri: '', path: '', metadata: { confusionMatrix } as never }]
  });
  taskOf(held, 'load').artifacts = metadata({ annotationSpecs, rows: [{ row: [5, 1] }, { row: [2, 7] }] });
  taskOf(held, 'split').artifacts = metadata({ struct: { annotationSpecs, rows: [[5, 1], [2, 7]] } });
  taskOf(held, 'choose').artifacts = metadata({ annotationSpecs, rows: [[1, 2]] });
  const { matrices } = metricsOf(held);
  expect(matrices.map(matrix => matrix.label)).toEqual(['load', 'split']);
  for (const matrix of matrices) {
    expect(matrix).toMatchObject({ categories: ['no', 'yes'], rows: [[5, 1], [2, 7]] });
  }
});

test('metadata of another form is passed over', () => {
  const held = runDocument('running');
  taskOf(held, 'load').artifacts = {
    odd: [
      { type: 'system.ClassificationMetrics', uri: '', path: '', metadata: { confidenceMetrics: 'none', confusionMatrix: 3 } },
      { type: 'system.Metrics', uri: '', path: '', metadata: { nested: { a: 1 }, nothing: null } }
    ]
  };
  const found = metricsOf(held, 'load');
  expect(hasMetrics(found)).toBe(false);
});

test('many metrics of few tasks are rows of the table, few are its columns', () => {
  const table = (count: number): (string | null)[][] => {
    const held = runDocument('succeeded');
    const metadata = Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, index]));
    taskOf(held, 'load').artifacts = { scores: [{ type: 'system.Metrics', uri: '', path: '', metadata }] };
    const element = metricsElement(metricsOf(held, 'load'), ENGLISH);
    return [...element.querySelectorAll('tr')].map(row => [...row.children].map(cell => cell.textContent));
  };
  expect(table(2)).toEqual([['Task', 'm0', 'm1'], ['load', '0', '1']]);
  const many = table(7);
  expect(many.slice(0, 3)).toEqual([['Metric', 'load'], ['m0', '0'], ['m1', '1']]);
  expect(many).toHaveLength(8);
});

test('everything that was measured is on the page, and charts say what they show', () => {
  const element = metricsElement(metricsOf(runDocument('succeeded')), ENGLISH);
  const cells = [...element.querySelectorAll('.kfp-table td')].map(cell => cell.textContent);
  expect(cells).toEqual(['0.972', '0.96', '143', '0.944', '0.932', '143']);
  const charts = [...element.querySelectorAll('[role=img]')].map(chart => chart.getAttribute('aria-label'));
  expect(charts[0]).toMatch(/^ROC curve: evaluate AUC 0\.\d+; evaluate-2 AUC 0\.\d+$/);
  expect(charts[1]).toBe('loss: train-forest 0.0929; train-logistic 0.1783');
  const lines = [...element.querySelectorAll('.kfp-chart')].map(chart => chart.querySelectorAll('polyline').length);
  expect(lines).toEqual([2, 2, 0, 0]);
  const [, matrix] = element.querySelectorAll('.kfp-matrix');
  expect([...(matrix?.querySelectorAll('th[scope=col]') ?? [])].map(cell => cell.textContent).slice(1)).toEqual([
    'benign',
    'malignant'
  ]);
});

test('an axis has round ticks, and spans what it has to', () => {
  expect(axis([0, 29], true)).toEqual({ low: 0, high: 29, ticks: [0, 10, 20] });
  expect(axis([0.08, 1.08], false).ticks).toEqual([0, 0.5, 1, 1.5]);
  expect(axis([], false)).toEqual({ low: 0, high: 1, ticks: [0, 1] });
  const flat = axis([5, 5, 5], false);
  expect(flat.low).toBeLessThan(5);
  expect(flat.high).toBeGreaterThan(5);
});
