/** Views whose messages and answers overtake each other, come late or not at all. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { RunDocument } from '../src/protocol';
import { RunView } from '../src/runView';
import type { Store } from '../src/store';
import { ENGLISH } from '../src/translation';
import { document as shared, runDocument, taskOf } from './documents';
import { type FakeTransport, connectedStore, settled, workbench } from './fakes';

const running = runDocument('running');
let view: RunView;
let store: Store;
let kernel: FakeTransport;

beforeEach(() => {
  ({ store, kernel } = connectedStore());
});

afterEach(() => {
  view.dispose();
  vi.useRealTimers();
});

function show(saved: RunDocument): void {
  view = new RunView(saved, 'pipeline', ENGLISH);
  document.body.replaceChildren(view.node);
  view.attached();
}

/** Connect the view to a kernel that knows the runs. */
async function connect(): Promise<void> {
  view.connect(store);
  await settled();
}

function text(selector: string): string {
  return view.node.querySelector(selector)?.textContent ?? '';
}

function stateOf(task: string): string | undefined {
  return view.node.querySelector<SVGElement>(`[data-task="${task}"]`)?.dataset.state;
}

function click(selector: string): void {
  view.node.querySelector(selector)?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
}

test('a change that comes right behind the answer is shown', async () => {
  kernel.say(workbench(running));
  show(shared('pipeline'));
  await connect();
  kernel.answer('pipeline', { result: running });
  // JupyterLab handles messages that came together in promises, one after the other.
  const { id, version } = running.run;
  const tellEnd = (): void => {
    kernel.say({ type: 'delta', run: id, base: version, version: version + 1, fields: { state: 'SUCCEEDED' }, tasks: {} });
  };
  await Promise.resolve().then(() => undefined).then(tellEnd);
  await settled();
  expect(text('.kfp-chip')).toBe('succeeded');
});

test('a run that somebody has go on after its end is followed again', async () => {
  const failed = runDocument('failed');
  kernel.say(workbench(failed));
  show(failed);
  await connect();
  expect(kernel.sent).toEqual([]);
  const resumed = runDocument('failed');
  resumed.run = { ...resumed.run, state: 'RUNNING', finished_at: null, version: failed.run.version + 1 };
  kernel.say(workbench(resumed));
  kernel.answer('snapshot', { result: resumed });
  await settled();
  expect(text('.kfp-chip')).toBe('running');
  const { id, version } = resumed.run;
  kernel.say({ type: 'delta', run: id, base: version, version: version + 1, fields: { state: 'SUCCEEDED' }, tasks: {} });
  expect(text('.kfp-chip')).toBe('succeeded');
});

test('a kernel that was too busy to answer is asked again when it answers', async () => {
  vi.useFakeTimers();
  ({ store, kernel } = connectedStore(2000));
  kernel.say(workbench(running));
  show(shared('open'));
  await connect();
  const [late] = kernel.sent.splice(0);
  await vi.advanceTimersByTimeAsync(2001);
  expect(text('.kfp-note[role=status]')).toContain('did not answer within 2 seconds');
  kernel.say({ id: late?.id, result: running });
  kernel.answer('snapshot', { result: running });
  await vi.advanceTimersByTimeAsync(0);
  expect(stateOf('train-forest')).toBe('RUNNING');
  expect(text('.kfp-note[role=status]')).toBe('');
});

test('a refusal that comes when another run is shown is not told of that one', async () => {
  kernel.say(workbench(running));
  kernel.say({ type: 'run', document: running });
  show(shared('open'));
  await connect();
  view.node.querySelector<HTMLButtonElement>('.kfp-head button')?.click();
  view.show(shared('succeeded'));
  kernel.answer('cancel', { error: { what: 'The cluster refused.', where: '', remedy: '' } });
  await settled();
  expect(text('[role=alert]')).toBe('');
});

describe('the log', () => {
  /** Connect, and open the log of a task that is as told. */
  async function openLog(change: object): Promise<void> {
    vi.useFakeTimers();
    ({ store, kernel } = connectedStore(2000));
    const held = runDocument('running');
    Object.assign(taskOf(held, 'train-forest'), { log_tail: [], ...change });
    kernel.say(workbench(held));
    kernel.say({ type: 'run', document: held });
    show(shared('open'));
    view.connect(store);
    await vi.advanceTimersByTimeAsync(0);
    click('[data-task="train-forest"]');
    await vi.advanceTimersByTimeAsync(1);
  }

  async function tell(change: object): Promise<void> {
    const { id, version } = running.run;
    const known = store.document(id)?.run.version ?? version;
    const task = { ...taskOf(running, 'train-forest'), log_tail: [], ...change };
    kernel.say({ type: 'delta', run: id, base: known, version: known + 1, fields: {}, tasks: { 'train-forest': task } });
    await vi.advanceTimersByTimeAsync(1);
  }

  test('of a task whose run was told at its end only is asked for too', async () => {
    await openLog({ state: 'PENDING', attempt: 1 });
    expect(kernel.sent).toEqual([]);
    await tell({ state: 'SUCCEEDED', attempt: 1 });
    kernel.answer('logs', { result: { lines: ['all of it'], next: 1, done: true } });
    await vi.advanceTimersByTimeAsync(1);
    expect(text('.kfp-log-pane .kfp-log')).toBe('all of it\n');
  });

  test('goes on after the kernel was too busy to answer', async () => {
    await openLog({ state: 'RUNNING', attempt: 1 });
    kernel.answer('logs', { result: { lines: ['one'], next: 1, done: false } });
    await vi.advanceTimersByTimeAsync(501);
    kernel.sent.splice(0);
    await tell({ state: 'SUCCEEDED', attempt: 1 });
    await vi.advanceTimersByTimeAsync(2600);
    kernel.answer('logs', { result: { lines: ['two'], next: 2, done: true } });
    await vi.advanceTimersByTimeAsync(1);
    expect(text('.kfp-log-pane .kfp-log')).toBe('one\ntwo\n');
  });

  test('is asked of the kernel that the notebook has now', async () => {
    await openLog({ state: 'RUNNING', attempt: 1 });
    kernel.answer('logs', { result: { lines: ['one'], next: 1, done: false } });
    const other = connectedStore();
    const held = runDocument('running');
    taskOf(held, 'train-forest').attempt = 1;
    other.kernel.say(workbench(held));
    other.kernel.say({ type: 'run', document: held });
    view.connect(other.store);
    await vi.advanceTimersByTimeAsync(501);
    expect(other.kernel.sent.map(request => request.method)).toContain('logs');
  });
});
