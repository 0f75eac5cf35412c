import { expect, test } from 'vitest';

import widget from '../src/widget';

/** A widget model in memory, with anywidget's event names. */
class Model {
  private readonly listeners = new Map<string, Set<() => void>>();
  constructor(private readonly values: Record<string, unknown>) {}
  get(name: string): unknown {
    return this.values[name];
  }
  set(name: string, value: unknown): void {
    this.values[name] = value;
    this.listeners.get(`change:${name}`)?.forEach(listener => {
      listener();
    });
  }
  on(event: string, callback: () => void): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(callback));
  }
  off(event: string, callback: () => void): void {
    this.listeners.get(event)?.delete(callback);
  }
}

test('the widget follows its snapshot until it is removed', () => {
  const model = new Model({ snapshot: { state: 'PENDING' } });
  const el = document.createElement('div');
  const remove = widget.render({ model, el });
  expect(el.textContent).toContain('PENDING');

  model.set('snapshot', { state: 'RUNNING' });
  expect(el.textContent).toContain('RUNNING');

  remove();
  model.set('snapshot', { state: 'SUCCEEDED' });
  expect(el.textContent).toContain('RUNNING');
});
