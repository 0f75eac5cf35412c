import { EditorState, type TransactionSpec } from '@codemirror/state';
import { describe, expect, test } from 'vitest';

import type { Finding } from '../src/findings';
import { setFindings, squiggles, stretchesOf } from '../src/squiggles';
import { ENGLISH } from '../src/translation';

const SOURCE = 'def f():\n    list = 1\n    return list\n';

function finding(line: number, column: number, end: number, text = SOURCE.split('\n')[line - 1] ?? ''): Finding {
  const where = { cell: 'Cell In[1]', line, column, end, id: '', text };
  return { severity: 'warning', code: 'c', what: `line ${line}`, where, remedy: '' };
}

function stateWith(findings: Finding[], doc = SOURCE): EditorState {
  return EditorState.create({ doc, extensions: squiggles(findings, ENGLISH) });
}

function marked(state: EditorState): string[] {
  return stretchesOf(state).map(({ from, to }) => state.sliceDoc(from, to));
}

function after(state: EditorState, ...specs: TransactionSpec[]): EditorState {
  return specs.reduce((held, spec) => held.update(spec).state, state);
}

describe('findings in an editor', () => {
  test('are there from the start, and replaced by new ones', () => {
    const state = stateWith([finding(2, 4, 8)]);
    expect(marked(state)).toEqual(['list']);
    expect(marked(after(state, { effects: setFindings.of([finding(3, 11, 15), finding(1, 4, 5)]) }))).toEqual(['f', 'list']);
    expect(marked(after(state, { effects: setFindings.of([]) }))).toEqual([]);
  });

  test('move with their lines', () => {
    const state = stateWith([finding(2, 4, 8)]);
    const [moved] = stretchesOf(after(state, { changes: { from: 0, insert: '# one\n# two\n' } }));
    expect(moved?.from).toBe(SOURCE.indexOf('list') + 12);
    const pushed = after(state, { changes: { from: SOURCE.indexOf('    list'), insert: '\n' } });
    expect(marked(pushed)).toEqual(['list']);
  });

  test('go when their line is changed, and come back with it', () => {
    const state = stateWith([finding(2, 4, 8)]);
    const at = SOURCE.indexOf('list');
    const changed = after(state, { changes: { from: at, to: at + 4, insert: 'rows' } });
    expect(marked(changed)).toEqual([]);
    expect(marked(after(changed, { changes: { from: at, to: at + 4, insert: 'list' } }))).toEqual(['list']);
  });

  test('do not jump to another line that reads the same', () => {
    const doc = 'pass\npass\n';
    const state = stateWith([finding(1, 0, 4, 'pass')], doc);
    expect(stretchesOf(state).map(({ from }) => from)).toEqual([0]);
    expect(marked(after(state, { changes: { from: 0, to: 4, insert: 'done' } }))).toEqual([]);
  });

  test('are found again when the whole text is replaced', () => {
    const state = stateWith([finding(2, 4, 8)]);
    const whole = { from: 0, to: SOURCE.length, insert: `# new\n${SOURCE}` };
    expect(marked(after(state, { changes: whole }))).toEqual(['list']);
  });

  test('of a text that was edited before the page was opened are where their lines are now', () => {
    expect(marked(stateWith([finding(2, 4, 8)], `# new\n${SOURCE}`))).toEqual(['list']);
    expect(marked(stateWith([finding(2, 4, 8)], 'def f():\n    rows = 1\n'))).toEqual([]);
  });
});
