import { beforeEach, describe, expect, test } from 'vitest';

import type { GraphNode, TaskRun } from '../src/protocol';
import { TaskActions } from '../src/taskActions';
import { ENGLISH } from '../src/translation';
import { runDocument, taskOf } from './documents';
import { connectedStore, settled } from './fakes';

const inserted: string[] = [];
const notebook = { goTo: () => null, insert: (code: string) => void inserted.push(code) };
const node = { id: 'train-forest', label: 'train-forest', component: 'train-forest', group: '' } as GraphNode;
const { store, kernel } = connectedStore();
let reruns: [string, string[]][];

beforeEach(() => {
  inserted.length = 0;
  kernel.sent.length = 0;
  reruns = [];
});

interface Buttons {
  actions: TaskActions;
  debug: HTMLButtonElement;
  rerun: HTMLButtonElement;
}

function shown(change: Partial<TaskRun> = {}, kind = 'local', from: typeof store | null = store, state = 'FAILED'): Buttons {
  const actions = new TaskActions(ENGLISH, notebook, (run, told) => {
    reruns.push([run, told]);
    return Promise.resolve();
  });
  const document = runDocument('failed');
  document.run.target.kind = kind;
  document.run.state = state as typeof document.run.state;
  const task = { ...taskOf(document, 'train-forest'), ...change };
  actions.show(document, node, 'train-forest', task, from);
  const [debug, rerun] = actions.node.querySelectorAll('button');
  if (debug === undefined || rerun === undefined) {
    throw new Error('no buttons');
  }
  return { actions, debug, rerun };
}

describe('debug', () => {
  test('brings the code that the kernel makes into the notebook', async () => {
    const { debug } = shown();
    debug.click();
    expect(kernel.sent[0]).toMatchObject({ method: 'debug', params: { task: 'train-forest' } });
    expect(debug.disabled).toBe(true);
    kernel.answer('debug', { result: { text: '# Debug: train-forest\nx = 1\n' } });
    await settled();
    expect(inserted).toEqual(['# Debug: train-forest\nx = 1']);
    expect(debug.disabled).toBe(false);
  });

  test('says what the kernel refuses', async () => {
    const { actions, debug } = shown();
    debug.click();
    kernel.answer('debug', { error: { what: 'It runs no Python function.', where: 'task x', remedy: 'Read its log.' } });
    await settled();
    expect(actions.node.querySelector('[role=alert]')?.textContent).toBe('It runs no Python function. task x Read its log.');
  });

  test('says that it brings the inputs of a run elsewhere, until they are there', async () => {
    const { actions, debug } = shown({}, 'argo');
    debug.click();
    expect(actions.node.querySelector('[role=alert]')?.textContent).toBe('Bringing its inputs here…');
    kernel.answer('debug', { result: { text: 'x = 1\n' } });
    await settled();
    expect(actions.node.querySelector('[role=alert]')?.textContent).toBe('');
  });

  test('is not offered for what did not run or goes on, and says why a cached result is none', () => {
    expect(shown({ attempt: 0, state: 'SKIPPED' }).debug.hidden).toBe(true);
    expect(shown({ state: 'RUNNING' }).actions.node.hidden).toBe(true);
    const { debug, rerun } = shown({ state: 'SUCCEEDED', cached_from: 'run-1' });
    expect(debug.disabled).toBe(true);
    expect(debug.title).toBe('It did not run: its result is that of run run-1.');
    expect(rerun.hidden).toBe(true);
  });

  test('needs a notebook', () => {
    const actions = new TaskActions(ENGLISH, null, () => Promise.resolve());
    const document = runDocument('failed');
    actions.show(document, node, 'train-forest', taskOf(document, 'train-forest'), store);
    expect(actions.node.hidden).toBe(true);
  });
});

describe('rerun', () => {
  test('starts a run and hands it on with what the kernel says', async () => {
    const { rerun } = shown();
    rerun.click();
    expect(kernel.sent[0]?.method).toBe('rerun');
    kernel.answer('rerun', { result: { run: 'run-2', told: ['Taken over: load.'] } });
    await settled();
    expect(reruns).toEqual([['run-2', ['Taken over: load.']]]);
  });

  test('says why it cannot be', () => {
    expect(shown({}, 'local', null).rerun.title).toBe('The kernel is not connected.');
    expect(shown({}, 'kfp').rerun.title).toMatch(/^Results of a run there cannot be taken over/);
    expect(shown({}, 'local', store, 'RUNNING').rerun.title).toMatch(/^The run goes on/);
    for (const { rerun } of [shown({}, 'kfp'), shown({}, 'local', null), shown({}, 'local', store, 'RUNNING')]) {
      expect(rerun.disabled).toBe(true);
    }
    expect(shown().rerun.disabled).toBe(false);
    expect(shown({}, 'argo').rerun.disabled).toBe(false);
  });
});

test('what was refused for a task is not told of another that is looked at since', async () => {
  const { actions, debug } = shown();
  debug.click();
  const document = runDocument('failed');
  const other = { id: 'train-logistic', label: 'train-logistic', component: 'train-logistic', group: '' } as GraphNode;
  actions.show(document, other, 'train-logistic', taskOf(document, 'train-logistic'), store);
  kernel.answer('debug', { error: { what: 'It runs no Python function.', where: '', remedy: '' } });
  await settled();
  expect(actions.node.querySelector('[role=alert]')?.textContent).toBe('');
  expect(debug.disabled).toBe(false);
});
