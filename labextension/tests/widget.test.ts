import { beforeEach, expect, test } from 'vitest';

import type { CommandRequest } from '../src/protocol';
import widget from '../src/widget';
import { document as shared, runDocument } from './documents';
import { settled } from './fakes';

/** A widget model in memory, with anywidget's event names. */
class Model {
  readonly sent: CommandRequest[] = [];
  private readonly listeners = new Map<string, Set<(content: unknown) => void>>();
  constructor(private readonly values: Record<string, unknown>) {}
  get(name: string): unknown {
    return this.values[name];
  }
  set(name: string, value: unknown): void {
    this.values[name] = value;
    this.fire(`change:${name}`, value);
  }
  on(event: string, callback: (content: unknown) => void): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(callback));
  }
  off(event: string, callback: (content: unknown) => void): void {
    this.listeners.get(event)?.delete(callback);
  }
  send(content: unknown): void {
    this.sent.push(content as CommandRequest);
  }
  fire(event: string, content: unknown): void {
    this.listeners.get(event)?.forEach(listener => {
      listener(content);
    });
  }
}

const running = runDocument('running');
let model: Model;
let el: HTMLElement;
let remove: () => void;

beforeEach(() => {
  model = new Model({ snapshot: running });
  el = document.createElement('div');
  document.body.replaceChildren(el);
  remove = widget.render({ model, el });
});

function stateOf(task: string): string | undefined {
  return el.querySelector<SVGElement>(`[data-task="${task}"]`)?.dataset.state;
}

test('a view asks for the present state of its run, and then follows the messages', async () => {
  expect(stateOf('train-forest')).toBe('RUNNING');
  const [question] = model.sent;
  expect(question).toMatchObject({ method: 'snapshot', params: { run: running.run.id } });

  const fresh = runDocument('running');
  fresh.run.version += 1;
  model.fire('msg:custom', { id: question?.id, result: fresh });
  await settled();
  const done = { ...fresh.run.tasks['train-forest'], state: 'SUCCEEDED' };
  const version = fresh.run.version;
  const tasks = { 'train-forest': done };
  model.fire('msg:custom', { type: 'delta', run: running.run.id, base: version, version: version + 1, fields: {}, tasks });
  expect(stateOf('train-forest')).toBe('SUCCEEDED');
});

test('the snapshot that the kernel keeps at the end is shown by a view whose kernel does not answer', () => {
  const ended = runDocument('running');
  ended.run = { ...runDocument('succeeded').run, id: running.run.id };
  model.set('snapshot', ended);
  expect(stateOf('train-forest')).toBe('SUCCEEDED');
  expect(el.querySelector('.kfp-chip')?.textContent).toBe('succeeded');
});

test('a view that went away hears and asks nothing', () => {
  remove();
  model.set('snapshot', runDocument('succeeded'));
  expect(stateOf('train-forest')).toBe('RUNNING');
});

test('a snapshot of another form is not drawn, and said so', () => {
  const other = document.createElement('div');
  widget.render({ model: new Model({ snapshot: { ...shared('pipeline'), schema: 'kfp-jupyter/run.v9' } }), el: other });
  expect(other.textContent).toContain('another version');
});
