import { expect, test } from 'vitest';

import { iterationNames } from '../src/iterations';
import type { JsonObject } from '../src/protocol';
import { runDocument, taskOf } from './documents';

function named(...inputs: JsonObject[]): string[] {
  const held = runDocument('succeeded');
  const task = taskOf(held, 'load');
  const tasks = Object.fromEntries(inputs.map((each, index) => [`loop[${index}]/fit`, { ...task, inputs: each }]));
  return iterationNames({ ...held.run, tasks }, Object.keys(tasks));
}

test('iterations are told apart by the inputs that differ, and only by those', () => {
  expect(named({ rate: 0.1, kind: 'a' }, { rate: 0.2, kind: 'a' })).toEqual(['#0 · rate 0.1', '#1 · rate 0.2']);
  expect(named({ kind: 'a' }, { kind: 'a' })).toEqual(['#0', '#1']);
});

test('an iteration whose inputs are not known yet has its number', () => {
  expect(named({ rate: 0.1 }, {})).toEqual(['#0 · rate 0.1', '#1']);
});

test('long values are cut, and no more than two inputs are told', () => {
  const [first] = named({ a: 'x'.repeat(40), b: 1, c: 1 }, { a: 'y', b: 2, c: 2 });
  expect(first).toBe(`#0 · a ${'x'.repeat(24)}… · b 1`);
});
