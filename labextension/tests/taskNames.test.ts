import { expect, test } from 'vitest';

import type { FullDocument } from '../src/protocol';
import { taskNames, withNames } from '../src/taskNames';
import { runDocument, taskOf } from './documents';

/** A run in which three iterations train with rates of their own. */
function looped(): FullDocument {
  const held = runDocument('looped');
  [0.1, 0.2, 0.3].forEach((rate, index) => {
    taskOf(held, `for-loop-1[${index}]/train`).inputs = { kind: 'a', rate };
  });
  return held;
}

test('a task of a loop is named with its iteration and the inputs that tell it from the others', () => {
  const names = taskNames(looped());
  expect(names.get('for-loop-1[2]/train')).toBe('train #2 · rate 0.3');
  expect(names.get('load')).toBe('load');
});

test('two nodes of one label are known by their paths', () => {
  const held = looped();
  held.graph.nodes.forEach(node => {
    node.label = 'train';
  });
  expect(taskNames(held).get('for-loop-1[2]/train')).toBe('for-loop-1[2]/train');
});

test('what an engine says names tasks as people know them, and leaves the words of an error alone', () => {
  const read = (said: string): string => withNames(looped(), said);
  expect(read('for-loop-1[1]/train failed: E: at for-loop-1[0]/train. Also failed: load, for-loop-1[2]/train and 3 more.')).toBe(
    'train #1 failed: E: at for-loop-1[0]/train. Also failed: load, train #2 and 3 more.'
  );
  expect(read('Not run because for-loop-1[0]/train was skipped.')).toBe('Not run because train #0 was skipped.');
  expect(read('Failed: load, for-loop-1[0]/train.')).toBe('Failed: load, train #0.');
  expect(read('elsewhere[0]/train failed: E.')).toBe('elsewhere[0]/train failed: E.');
});
