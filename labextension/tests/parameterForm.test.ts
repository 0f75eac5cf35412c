import { beforeEach, describe, expect, test } from 'vitest';

import { ParameterForm } from '../src/parameterForm';
import type { Json, Pipeline, PipelineInput } from '../src/protocol';
import { ENGLISH } from '../src/translation';

let form: ParameterForm;

beforeEach(() => {
  form = new ParameterForm(ENGLISH);
  document.body.replaceChildren(form.node);
});

function input(name: string, type: string, more: Partial<PipelineInput> = {}): PipelineInput {
  return { name, type, optional: false, default: null, description: '', ...more };
}

function show(...inputs: PipelineInput[]): void {
  const pipeline: Pipeline = { name: 'p', display_name: 'p', description: '', inputs };
  form.show(pipeline);
}

function control(name: string): HTMLInputElement | HTMLTextAreaElement {
  const label = [...form.node.querySelectorAll('label')].find(each => each.firstChild?.textContent === name);
  const found = label === undefined ? null : document.getElementById(label.htmlFor);
  if (!(found instanceof HTMLInputElement || found instanceof HTMLTextAreaElement)) {
    throw new Error(`no field ${name}`);
  }
  return found;
}

function type(name: string, text: string): void {
  control(name).value = text;
  control(name).dispatchEvent(new Event('input'));
}

function complaint(name: string): string {
  const id = control(name).getAttribute('aria-describedby') ?? '';
  return document.getElementById(id)?.textContent ?? '';
}

test('every type has its own kind of field, filled with the default', () => {
  show(
    input('rate', 'float', { optional: true, default: 0.1 }),
    input('rows', 'int', { optional: true, default: 7 }),
    input('name', 'str', { optional: true, default: 'x' }),
    input('fast', 'bool', { optional: true, default: true }),
    input('sizes', 'list', { optional: true, default: [1, 2] }),
    input('options', 'dict', { optional: true, default: { a: 1 } })
  );
  expect(control('rate')).toMatchObject({ type: 'number', step: 'any', value: '0.1' });
  expect(control('rows')).toMatchObject({ type: 'number', step: '1', value: '7' });
  expect(control('name')).toMatchObject({ type: 'text', value: 'x' });
  expect(control('fast')).toMatchObject({ type: 'checkbox', checked: true });
  expect(control('sizes').value).toBe('[1,2]');
  expect(control('options').value).toBe('{"a":1}');
  expect(control('rate')).toMatchObject({ placeholder: '0.1' });
  expect(control('sizes')).toMatchObject({ placeholder: '[1,2]' });
  // Untouched, nothing is sent: the pipeline's own defaults hold.
  expect(form.arguments()).toEqual({});
});

test('what was changed is sent with its type', () => {
  show(
    input('rate', 'float', { optional: true, default: 0.1 }),
    input('rows', 'int'),
    input('name', 'str'),
    input('fast', 'bool', { optional: true, default: true }),
    input('sizes', 'list'),
    input('options', 'dict')
  );
  type('rate', '3e-2');
  type('rows', '12');
  type('name', ' spaces stay ');
  (control('fast') as HTMLInputElement).checked = false;
  type('sizes', '[1, "a"]');
  type('options', '{"deep": {"er": null}}');
  expect(form.arguments()).toEqual({
    rate: 0.03,
    rows: 12,
    name: ' spaces stay ',
    fast: false,
    sizes: [1, 'a'],
    options: { deep: { er: null } }
  });
});

describe('a wrong value is told at its field, and takes the focus', () => {
  test.each<[string, string, Json]>([
    ['int', '', 'A value is needed.'],
    ['int', '1.5', 'A whole number is needed.'],
    ['str', '', 'A value is needed.'],
    ['list', '{"a": 1}', 'A list is needed, such as [1, 2].'],
    ['dict', '[1]', 'An object is needed, such as {"name": 1}.'],
    ['dict', 'null', 'An object is needed, such as {"name": 1}.']
  ])('%s: %j', (kind, text, message) => {
    show(input('other', 'str', { optional: true, default: 'x' }), input('value', kind));
    type('value', text);
    expect(form.arguments()).toBeNull();
    expect(complaint('value')).toBe(message);
    expect(control('value').getAttribute('aria-invalid')).toBe('true');
    expect(document.activeElement).toBe(control('value'));
    expect(complaint('other')).toBe('');
  });

  test('text that is no JSON says where it stumbles', () => {
    show(input('value', 'list'));
    type('value', '[1, 2');
    expect(form.arguments()).toBeNull();
    expect(complaint('value')).toMatch(/^This is not JSON: ./);
  });

  test('the complaint goes while the value is put right', () => {
    show(input('rows', 'int'));
    expect(form.arguments()).toBeNull();
    type('rows', '3');
    expect(complaint('rows')).toBe('');
    expect(control('rows').getAttribute('aria-invalid')).toBeNull();
    expect(form.arguments()).toEqual({ rows: 3 });
  });
});

test('a text that is cleared is sent as empty, since its default is not', () => {
  show(input('name', 'str', { optional: true, default: 'x' }));
  type('name', '');
  expect(form.arguments()).toEqual({ name: '' });
});

test('an optional number that is cleared falls back on its default', () => {
  show(input('rows', 'int', { optional: true, default: 7 }));
  type('rows', '');
  expect(form.arguments()).toEqual({});
});

test('an input that no form can give says so', () => {
  show(input('data', 'Dataset'));
  expect(form.arguments()).toBeNull();
  expect(complaint('data')).toBe('An input of type Dataset cannot be given here; run the pipeline from a cell.');
});

test('what was typed stays while the inputs are the same, and goes with other inputs', () => {
  show(input('rows', 'int'));
  type('rows', '5');
  show(input('rows', 'int'));
  expect(control('rows').value).toBe('5');
  show(input('rows', 'float'));
  expect(control('rows').value).toBe('');
});

test('fields have labels, say that they are required, and describe themselves', () => {
  show(input('rows', 'int', { description: 'How many rows' }), input('rate', 'float', { optional: true, default: 1 }));
  expect(control('rows').getAttribute('aria-required')).toBe('true');
  expect(control('rate').getAttribute('aria-required')).toBeNull();
  expect(form.node.textContent).toContain('How many rows');
});
