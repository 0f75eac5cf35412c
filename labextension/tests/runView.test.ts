import { beforeEach, describe, expect, test, vi } from 'vitest';

import type { RunDocument } from '../src/protocol';
import { RunView } from '../src/runView';
import type { Store } from '../src/store';
import { ENGLISH } from '../src/translation';
import { document as shared, runDocument, taskOf } from './documents';
import { type FakeTransport, connectedStore, settled, workbench } from './fakes';

let view: RunView;
let store: Store;
let kernel: FakeTransport;

beforeEach(() => {
  ({ store, kernel } = connectedStore());
});

function show(saved: RunDocument): void {
  view = new RunView(saved, 'pipeline', ENGLISH);
  document.body.replaceChildren(view.node);
  view.attached();
}

function text(selector: string): string {
  return view.node.querySelector(selector)?.textContent ?? '';
}

function stateOf(task: string): string | undefined {
  return view.node.querySelector<SVGElement>(`[data-task="${task}"]`)?.dataset.state;
}

function click(selector: string): void {
  const element = view.node.querySelector(selector);
  if (element === null) {
    throw new Error(`no ${selector}`);
  }
  element.dispatchEvent(new MouseEvent('click', { bubbles: true }));
}

function tab(name: string): HTMLElement {
  const found = [...view.node.querySelectorAll<HTMLElement>('[role=tab]')].find(each => each.textContent === name);
  if (found === undefined) {
    throw new Error(`no tab ${name}`);
  }
  return found;
}

describe('a saved document, without a kernel', () => {
  test('a pipeline that was not run is its graph', () => {
    show(shared('pipeline'));
    expect(text('.kfp-title')).toBe('Cancer classifier');
    expect(text('.kfp-chip')).toBe('not run');
    expect(text('.kfp-note[role=status]')).toBe('');
    expect(stateOf('load')).toBe('NONE');
  });

  test('an ended run shows its states, duration and metrics', () => {
    show(shared('succeeded'));
    expect(text('.kfp-chip')).toBe('succeeded');
    expect(text('.kfp-duration')).toBe('1 min 12 s');
    expect(text('.kfp-place')).toMatch(/^on this machine · /);
    expect(stateOf('publish')).toBe('SUCCEEDED');
    expect(view.node.querySelectorAll('.kfp-chart')).toHaveLength(4);
    expect(view.node.querySelector<HTMLButtonElement>('.kfp-head button')?.hidden).toBe(true);
  });

  test('what was asked for and not done is said', () => {
    const held = runDocument('succeeded');
    held.run.notices = ['Not enforced on this machine: the CPU limit of train.', 'Nothing is cached.'];
    show(held);
    expect([...view.node.querySelectorAll('.kfp-note')].map(note => note.textContent)).toContain(
      'Not enforced on this machine: the CPU limit of train. Nothing is cached.'
    );
  });

  test('a failed run opens at the error of the task that failed', () => {
    show(shared('failed'));
    expect(text('.kfp-pane-title')).toBe('train-forest');
    expect(tab('Error').getAttribute('aria-selected')).toBe('true');
    expect(text('.kfp-error-title')).toBe("ValueError: could not convert string to float: '<n/a>'");
    expect(text('.kfp-error-place')).toBe('Cell In[4], line 7');
    expect(text('.kfp-error .kfp-log')).toContain('Traceback');
    expect(text('.kfp-note[role=status]')).toContain('train-forest failed');
  });

  test('what the run printed last, its inputs and its outputs can be looked at', () => {
    show(shared('succeeded'));
    click('[data-task="evaluate"]');
    expect(text('.kfp-log-pane .kfp-dim')).toBe('It printed nothing.');
    tab('Outputs').click();
    const outputs = view.node.querySelector('[role=tabpanel]:not([hidden])');
    expect(outputs?.textContent).toContain('accuracy0.972');
    expect(outputs?.textContent).toContain('local:///metrics');
    click('[data-task="publish"]');
    expect(text('.kfp-log')).toBe('published forest\n');
  });

  test('what a task used is shown, and marked where it is over what was declared', () => {
    const held = runDocument('succeeded');
    delete taskOf(held, 'split').usage;
    show(held);
    click('[data-task="train-forest"]');
    expect(text('.kfp-usage')).toBe('CPU 7.4 s (180 %, limit 200 %) · memory 1.2 GB of 4 GB');
    expect(view.node.querySelector('.kfp-over')).toBeNull();
    click('[data-task="choose"]');
    expect(text('.kfp-usage')).toBe('CPU 92 ms · memory 24 MB');
    click('[data-task="split"]');
    expect(text('.kfp-usage')).toBe('');
    show(shared('failed'));
    click('[data-task="train-logistic"]');
    expect(text('.kfp-usage')).toBe('CPU 2.7 s (100 %) · memory 2.3 GB, over its limit of 2 GB');
    expect(text('.kfp-over')).not.toBe('');
  });

  test('a run that was open says what to do, and claims no state', () => {
    show(shared('open'));
    expect(text('.kfp-note[role=status]')).toBe(
      'The run was in progress when this notebook was saved; start the kernel and load kfp_jupyter to see it.'
    );
    expect(view.node.querySelector<HTMLElement>('.kfp-chip')?.hidden).toBe(true);
    expect(stateOf('load')).toBe('NONE');
  });

  test('of the iterations of a loop the failed one is opened, and any other can be chosen', () => {
    show(shared('looped'));
    expect(text('.kfp-pane-title')).toBe('train');
    const choice = view.node.querySelector<HTMLSelectElement>('.kfp-pane-iteration select');
    expect([...(choice?.options ?? [])].map(option => option.text)).toEqual([
      '#0 · succeeded',
      '#1 · failed',
      '#2 · running'
    ]);
    expect(choice?.value).toBe('for-loop-1[1]/train');
    // What commands take is there to be copied.
    expect(text('.kfp-path code')).toBe('for-loop-1[1]/train');
    expect(text('.kfp-error-title')).toBe('ValueError: rate is too high');
    if (choice !== null) {
      choice.value = 'for-loop-1[0]/train';
      choice.dispatchEvent(new Event('change'));
    }
    expect(text('.kfp-error-title')).toBe('');
    const values = [...view.node.querySelectorAll('.kfp-values')].map(each => each.textContent);
    expect(values.join()).toContain('0.8');
    click('[data-task="load"]');
    expect(view.node.querySelector<HTMLElement>('.kfp-path')?.hidden).toBe(true);
    expect(view.node.querySelector('.kfp-pane-iteration')?.hasAttribute('hidden')).toBe(true);
  });

  test('nothing in a document becomes markup', () => {
    const held = runDocument('failed');
    const evil = '<img src=x onerror="alert(1)">';
    held.pipeline.display_name = evil;
    const failed = taskOf(held, 'train-forest');
    failed.error = { type: evil, message: evil, file: evil, line: 1, traceback: evil };
    failed.outputs = { [evil]: evil };
    failed.log_tail = [evil];
    show(held);
    expect(view.node.querySelector('img')).toBeNull();
    expect(text('.kfp-title')).toBe(evil);
  });
});

describe('with a kernel', () => {
  const running = runDocument('running');

  /** Connect the view to a kernel that knows the runs. */
  async function connect(): Promise<void> {
    view.connect(store);
    await settled();
  }

  test('a run that was open when saved is asked for and shown', async () => {
    kernel.say(workbench(running));
    show(shared('open'));
    await connect();
    kernel.answer('snapshot', { result: running });
    await settled();
    expect(stateOf('train-forest')).toBe('RUNNING');
    expect(text('.kfp-note[role=status]')).toBe('');
    expect(text('.kfp-place')).toBe('on kind-lab, namespace team-a');
  });

  test('the latest run of the pipeline is shown in the output of its cell, and each new one', async () => {
    kernel.say(workbench(running));
    kernel.say({ type: 'run', document: running });
    show(shared('pipeline'));
    await connect();
    kernel.answer('pipeline', { result: running });
    await settled();
    expect(stateOf('train-forest')).toBe('RUNNING');

    const next = runDocument('failed');
    kernel.say({ type: 'run', document: next });
    kernel.say(workbench(next, running));
    kernel.answer('pipeline', { result: next });
    await settled();
    expect(text('.kfp-chip')).toBe('failed');
  });

  test('a run of the pipeline as it was before is not shown under the changed pipeline', async () => {
    kernel.say(workbench(running));
    show(shared('pipeline'));
    await connect();
    kernel.answer('pipeline', { result: shared('pipeline') });
    await settled();
    expect(text('.kfp-chip')).toBe('not run');
  });

  test('a kernel that was restarted no longer knows the pipeline, but its open run is shown', async () => {
    kernel.say(workbench(running));
    kernel.say({ type: 'run', document: running });
    show(shared('pipeline'));
    await connect();
    kernel.answer('pipeline', { error: { what: 'No pipeline.', where: '', remedy: '' } });
    await settled();
    expect(stateOf('train-forest')).toBe('RUNNING');
    expect(text('.kfp-note[role=status]')).toBe('');
  });

  test('an ended run that the kernel has never heard of stays as it was saved, without complaint', async () => {
    kernel.say(workbench());
    show(shared('succeeded'));
    await connect();
    expect(kernel.sent).toEqual([]);
    expect(text('.kfp-note[role=status]')).toBe('');
    expect(text('.kfp-chip')).toBe('succeeded');
  });

  test('an open run that the kernel cannot find says why', async () => {
    kernel.say(workbench());
    show(shared('open'));
    await connect();
    kernel.answer('snapshot', { error: { what: 'There is no run run-0010.', where: '', remedy: 'It was of another machine.' } });
    await settled();
    expect(text('.kfp-note[role=status]')).toBe('There is no run run-0010. It was of another machine.');
  });

  test('changes are shown as they are told, and the metrics with them', async () => {
    kernel.say(workbench(running));
    kernel.say({ type: 'run', document: running });
    show(shared('open'));
    await connect();
    const done = structuredClone(taskOf(running, 'train-forest'));
    done.state = 'SUCCEEDED';
    done.curves = { loss: [[0, 1], [1, 0.5]], accuracy: [[0, 0.5]] };
    const { version } = running.run;
    const delta = { type: 'delta', run: running.run.id, base: version, version: version + 1, fields: {} };
    kernel.say({ ...delta, tasks: { 'train-forest': done } });
    expect(stateOf('train-forest')).toBe('SUCCEEDED');
    const titles = [...view.node.querySelectorAll('.kfp-chart-title')].map(title => title.textContent);
    expect(titles).toEqual(['loss', 'accuracy']);
  });

  test('the run can be cancelled, and a refusal is told', async () => {
    kernel.say(workbench(running));
    kernel.say({ type: 'run', document: running });
    show(shared('open'));
    await connect();
    const button = view.node.querySelector<HTMLButtonElement>('.kfp-head button');
    expect(button?.hidden).toBe(false);
    button?.click();
    expect(kernel.sent.at(-1)).toMatchObject({ method: 'cancel', params: { run: running.run.id } });
    kernel.answer('cancel', { error: { what: 'The cluster refused.', where: '', remedy: 'Ask for the right to delete.' } });
    await settled();
    expect(text('[role=alert]')).toBe('The cluster refused. Ask for the right to delete.');
  });

  test('when the kernel goes away the run is shown as last seen, and said so', async () => {
    kernel.say(workbench(running));
    kernel.say({ type: 'run', document: running });
    show(shared('open'));
    await connect();
    kernel.become('disconnected');
    expect(stateOf('train-forest')).toBe('RUNNING');
    expect(text('.kfp-note[role=status]')).toBe('The kernel is not connected; this is how the run was last seen.');
    expect(view.node.classList).toContain('kfp-mod-stale');
    expect(view.node.querySelector<HTMLButtonElement>('.kfp-head button')?.hidden).toBe(true);
  });

  test('a run that is not watched any more has no clock that goes on', async () => {
    // The clock stands, or a slow machine would show what the next second shows.
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const seen = runDocument('running');
      seen.run.started_at = Date.now() / 1000 - 30;
      taskOf(seen, 'train-forest').started_at = seen.run.started_at;
      taskOf(seen, 'train-forest').attempt = 1;
      show(seen);
      expect(text('[data-task="train-forest"] .kfp-card-detail')).toBe('running · 0 s');
      kernel.say(workbench(seen));
      kernel.say({ type: 'run', document: seen });
      await connect();
      expect(text('[data-task="train-forest"] .kfp-card-detail')).toBe('running · 30 s');
      expect(text('.kfp-duration')).toBe('30 s');
      kernel.become('disconnected');
      expect(text('[data-task="train-forest"] .kfp-card-detail')).toBe('running · 30 s');
      expect(text('.kfp-duration')).toBe('');
    } finally {
      vi.useRealTimers();
    }
  });

  test('a watched task that fails opens its error', async () => {
    kernel.say(workbench(running));
    kernel.say({ type: 'run', document: running });
    show(shared('open'));
    await connect();
    click('[data-task="train-forest"]');
    expect(tab('Logs').getAttribute('aria-selected')).toBe('true');
    const failed = structuredClone(taskOf(running, 'train-forest'));
    failed.state = 'FAILED';
    failed.error = { type: 'KeyError', message: "'radius'", file: 'Cell In[4]', line: 2, traceback: '' };
    const { version } = running.run;
    const delta = { type: 'delta', run: running.run.id, base: version, version: version + 1, fields: {} };
    kernel.say({ ...delta, tasks: { 'train-forest': failed } });
    expect(tab('Error').getAttribute('aria-selected')).toBe('true');
    expect(text('.kfp-error-title')).toBe("KeyError: 'radius'");
  });

  test('the log of a running task is followed from a cursor on, until it is done', async () => {
    vi.useFakeTimers();
    try {
      kernel.say(workbench(running));
      kernel.say({ type: 'run', document: running });
      show(shared('open'));
      view.connect(store);
      await vi.advanceTimersByTimeAsync(0);
      click('[data-task="train-forest"]');
      await vi.advanceTimersByTimeAsync(1);
      expect(kernel.sent.at(-1)).toMatchObject({ method: 'logs', params: { task: 'train-forest', after: 0 } });
      kernel.answer('logs', { result: { lines: ['\u001b[32mone\u001b[0m', ' 10%\r 50%\r100%'], next: 7, done: false } });
      await vi.advanceTimersByTimeAsync(600);
      expect(text('.kfp-log-pane .kfp-log')).toBe('one\n100%\n');
      expect(kernel.sent.at(-1)).toMatchObject({ method: 'logs', params: { after: 7 } });
      kernel.answer('logs', { result: { lines: ['three'], next: 9, done: true } });
      await vi.advanceTimersByTimeAsync(2000);
      expect(text('.kfp-log-pane .kfp-log')).toBe('one\n100%\nthree\n');
      expect(kernel.sent.filter(request => request.method === 'logs')).toEqual([]);
    } finally {
      view.dispose();
      vi.useRealTimers();
    }
  });

  test('a view that was disposed of asks and draws nothing more', async () => {
    kernel.say(workbench(running));
    kernel.say({ type: 'run', document: running });
    show(shared('open'));
    await connect();
    view.dispose();
    const ended = runDocument('running');
    ended.run.version += 1;
    ended.run.state = 'SUCCEEDED';
    kernel.say({ type: 'run', document: ended });
    expect(text('.kfp-chip')).toBe('running');
  });
});

describe('tabs', () => {
  test('arrows go round the tabs that are there', () => {
    show(shared('succeeded'));
    click('[data-task="load"]');
    tab('Logs').focus();
    const press = (key: string): void => {
      document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    };
    press('ArrowLeft');
    expect(document.activeElement).toBe(tab('Outputs'));
    press('ArrowRight');
    expect(document.activeElement).toBe(tab('Logs'));
    expect(tab('Error').hidden).toBe(true);
    expect(tab('Metrics').hidden).toBe(true);
  });
});
