import { beforeEach, describe, expect, test, vi } from 'vitest';

import { now } from '../src/format';
import { GraphView } from '../src/graph';
import { neighbour, readingOrder } from '../src/graphKeys';
import { ENGLISH } from '../src/translation';
import { document as shared, runDocument, taskOf } from './documents';

let chosen: (string | null)[] = [];
let view: GraphView;

beforeEach(() => {
  chosen = [];
  view = new GraphView({ trans: ENGLISH, onSelect: task => chosen.push(task), clock: now });
  document.body.replaceChildren(view.node);
});

function show(name: string): void {
  const held = runDocument(name);
  view.show(held, name === 'pipeline' || name === 'open' ? null : held.run);
}

function card(task: string): SVGElement {
  const found = view.node.querySelector<SVGElement>(`[data-task="${task}"]`);
  if (found === null) {
    throw new Error(`no card ${task}`);
  }
  return found;
}

function press(key: string): void {
  document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

test('the graph is a list of its tasks, with one stop for the Tab key', () => {
  show('pipeline');
  const list = view.node.querySelector('[role=list]');
  expect(list?.getAttribute('aria-label')).toBe('Tasks of Cancer classifier');
  const items = [...view.node.querySelectorAll('[role=listitem]')];
  expect(items).toHaveLength(shared('pipeline').graph.nodes.length);
  expect(items.filter(item => item.getAttribute('tabindex') === '0')).toEqual([card('load')]);
});

test('cards and lines stand where Python put them', () => {
  show('pipeline');
  const { graph } = shared('pipeline');
  expect(view.node.querySelector('svg')?.getAttribute('viewBox')).toBe(`0 0 ${graph.width} ${graph.height}`);
  for (const node of graph.nodes) {
    expect(card(node.id).getAttribute('transform')).toBe(`translate(${node.x} ${node.y})`);
  }
  const lines = [...view.node.querySelectorAll('.kfp-edge-line')].map(line => line.getAttribute('d'));
  expect(lines).toEqual(graph.edges.map(edge => edge.path));
});

test('a bare order is dashed, a flow of values is not', () => {
  show('pipeline');
  const lines = [...view.node.querySelectorAll('.kfp-edge-line')];
  const dashed = lines.filter(line => line.getAttribute('stroke-dasharray') !== null);
  expect(dashed).toHaveLength(shared('pipeline').graph.edges.filter(edge => edge.label === '').length);
});

test('a change of a task touches its card alone, and keeps the elements and the focus', () => {
  const held = runDocument('running');
  view.show(held, held.run);
  const before = card('train-forest');
  const other = card('load').innerHTML;
  card('train-forest').focus();
  taskOf(held, 'train-forest').state = 'SUCCEEDED';
  taskOf(held, 'train-forest').finished_at = (taskOf(held, 'train-forest').started_at ?? 0) + 3;
  view.update(held.run, new Set(['train-forest']));

  expect(card('train-forest')).toBe(before);
  expect(document.activeElement).toBe(before);
  expect(before.dataset.state).toBe('SUCCEEDED');
  expect(before.getAttribute('aria-label')).toBe('train-forest: succeeded, 3 seconds');
  expect(card('load').innerHTML).toBe(other);
});

test('showing the same graph again keeps its elements', () => {
  show('pipeline');
  const before = card('load');
  show('running');
  expect(card('load')).toBe(before);
  expect(before.dataset.state).toBe('CACHED');
});

test('states are told by words and icons, and a sentence tells of all of them', () => {
  show('running');
  expect(card('load').getAttribute('aria-label')).toBe('load: cached');
  expect(card('train-logistic').getAttribute('aria-label')).toBe('train-logistic: pending, Unschedulable');
  expect(card('train-logistic').querySelector('.kfp-card-detail')?.textContent).toBe('Unschedulable');
  expect(card('train-forest').querySelector('.kfp-icon-spin')).not.toBeNull();
  const status = view.node.querySelector('[role=status]');
  expect(status?.getAttribute('aria-live')).toBe('polite');
  expect(status?.textContent).toBe('2 of 8 tasks done. Running: train-forest.');
});

test('lines into a running task flow', () => {
  show('running');
  const flowing = view.node.querySelectorAll('.kfp-mod-flowing');
  expect(flowing).toHaveLength(1);
});

test('a duration grows with the clock, and is what stays of a line that is too long for its card', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const held = runDocument('running');
    taskOf(held, 'train-forest').started_at = Date.now() / 1000 - 60;
    view.show(held, held.run);
    vi.setSystemTime(Date.now() + 5000);
    view.tick();
    expect(card('train-forest').getAttribute('aria-label')).toMatch(/^train-forest: running, 1 minute/);
    expect(card('train-forest').querySelector('.kfp-card-detail')?.textContent).toBe('1 min 05 s');
  } finally {
    vi.useRealTimers();
  }
});

describe('keyboard', () => {
  test('arrows go along the lines and along the rows', () => {
    show('pipeline');
    card('load').focus();
    press('ArrowDown');
    expect(document.activeElement).toBe(card('split'));
    press('ArrowDown');
    press('ArrowDown');
    expect(document.activeElement).toBe(card('evaluate'));
    press('ArrowRight');
    expect(document.activeElement).toBe(card('evaluate-2'));
    press('ArrowUp');
    expect(document.activeElement).toBe(card('train-logistic'));
    press('Home');
    expect(document.activeElement).toBe(card('load'));
    press('ArrowUp');
    expect(document.activeElement).toBe(card('load'));
    press('End');
    expect(document.activeElement).toBe(card('publish'));
    expect(card('publish').getAttribute('tabindex')).toBe('0');
  });

  test('left and right reach every task', () => {
    const { graph } = shared('pipeline');
    const order = readingOrder(graph);
    let [at] = order;
    const reached = [at];
    while (at !== undefined) {
      const next = neighbour(graph, at, 'ArrowRight');
      if (next === null) {
        break;
      }
      at = next;
      reached.push(at);
    }
    expect(reached).toEqual(order);
  });

  test('Enter selects, again it takes the selection back, Escape too', () => {
    show('pipeline');
    card('split').focus();
    press('Enter');
    expect(card('split').getAttribute('aria-current')).toBe('true');
    press('Enter');
    press('Enter');
    press('Escape');
    expect(chosen).toEqual(['split', null, 'split', null]);
    expect(card('split').getAttribute('aria-current')).toBeNull();
  });

  test('the notebook does not hear the keys of a card', () => {
    show('pipeline');
    const heard: string[] = [];
    const listen = (event: Event): void => {
      heard.push((event as KeyboardEvent).key);
    };
    document.body.addEventListener('keydown', listen);
    card('load').focus();
    for (const key of ['ArrowDown', 'Enter', 'ArrowUp', 'a']) {
      press(key);
    }
    document.body.removeEventListener('keydown', listen);
    expect(heard).toEqual(['a']);
  });
});

test('a click selects a task and marks the lines at it', () => {
  show('pipeline');
  card('split').dispatchEvent(new MouseEvent('click', { bubbles: true }));
  expect(chosen).toEqual(['split']);
  const edges = shared('pipeline').graph.edges.filter(edge => edge.source === 'split' || edge.target === 'split');
  expect(view.node.querySelectorAll('.kfp-mod-near')).toHaveLength(edges.length);
});

test('a graph without tasks is drawn empty', () => {
  const empty = shared('pipeline');
  empty.graph = { width: 32, height: 32, nodes: [], edges: [] };
  view.show(empty, null);
  expect(view.node.classList).toContain('kfp-mod-empty');
  expect(view.node.querySelectorAll('[role=listitem]')).toHaveLength(0);
});

test('a name that is markup stays text', () => {
  const held = shared('pipeline');
  const [first] = held.graph.nodes;
  if (first !== undefined) {
    first.label = '<img src=x onerror=alert(1)>';
  }
  view.show(held, null);
  expect(view.node.querySelector('img')).toBeNull();
  expect(card('load').querySelector('title')?.textContent).toContain('<img');
});

describe('groups', () => {
  test('a group is a frame under the lines and the cards in it', () => {
    show('looped');
    const order = [...view.node.querySelectorAll('[role=list] > *')];
    const at = (element: Element | null): number => (element === null ? -1 : order.indexOf(element));
    const frame = card('for-loop-1');
    expect(frame.classList.contains('kfp-mod-frame')).toBe(true);
    expect(at(frame)).toBeLessThan(at(view.node.querySelector('[role=list] > [aria-hidden]')));
    expect(at(view.node.querySelector('[role=list] > [aria-hidden]'))).toBeLessThan(at(card('for-loop-1/train')));
  });

  test('a task of a loop tells of all its iterations, and changes with any of them', () => {
    const held = runDocument('looped');
    view.show(held, held.run);
    expect(card('for-loop-1/train').querySelector('.kfp-card-detail')?.textContent).toBe('failed · 1 of 3');
    for (const path of ['for-loop-1[1]/train', 'for-loop-1[2]/train']) {
      held.run.tasks[path] = { ...taskOf(held, 'for-loop-1[0]/train') };
    }
    view.update(held.run, new Set(['for-loop-1[2]/train']));
    expect(card('for-loop-1/train').querySelector('.kfp-card-detail')?.textContent).toBe('3 of 3');
  });
});
