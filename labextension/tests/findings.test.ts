import { Text } from '@codemirror/state';
import { describe, expect, test } from 'vitest';

import { type Finding, cellNumber, findingsIn, lineOf, stretchIn, stretchesIn } from '../src/findings';
import { FindingsView } from '../src/findingsView';
import { ENGLISH, KOREAN } from '../src/translation';

function finding(where: Partial<Finding['where']> = {}, rest: Partial<Finding> = {}): Finding {
  const place = { cell: 'Cell In[3]', line: 2, column: 4, end: 8, id: 'a', text: '    list = 1', ...where };
  return { severity: 'warning', code: 'shadowed-builtin', what: "The name 'list' …", where: place, remedy: 'Use `rows`.', ...rest };
}

const lines = (...texts: string[]): Text => Text.of(texts);

describe('what an output holds', () => {
  test('is read as the kernel writes it', () => {
    const { severity, code, what, where, remedy } = finding();
    const data = findingsIn({ findings: [{ severity, code, what, where, remedy }], told: ['error'] });
    expect(data).toEqual({ findings: [finding()], told: new Set(['error']) });
  });

  test('of another form is left out, what it may lack is empty', () => {
    expect(findingsIn(null).findings).toEqual([]);
    expect(findingsIn({ findings: ['x', { what: 'no place' }, { what: 'x', where: { line: 'two' } }] }).findings).toEqual([]);
    const [bare] = findingsIn({ findings: [{ what: 'x', where: { cell: 'lib.py', line: 1 } }] }).findings;
    expect(bare?.where).toEqual({ cell: 'lib.py', line: 1, column: 0, end: 0, id: '', text: null });
    expect(bare?.severity).toBe('warning');
  });
});

describe('a place in a text', () => {
  test('is the line with its text that is nearest to where it was', () => {
    const { where } = finding();
    expect(lineOf(where, lines('def f():', '    list = 1'))).toBe(2);
    expect(lineOf(where, lines('', '', '', 'def f():', '    list = 1'))).toBe(5);
    expect(lineOf(where, lines('    list = 1', '', '    list = 1', ''))).toBe(1);
    expect(lineOf(where, lines('def f():', '    rows = 1'))).toBe(0);
  });

  test('whose text was not kept is its number', () => {
    const { where } = finding({ text: null });
    expect(lineOf(where, lines('a', 'b'))).toBe(2);
    expect(lineOf(where, lines('a'))).toBe(0);
  });

  test('counts characters as Python does', () => {
    expect(stretchIn(finding({ column: 8, end: 12 }).where, 'a = "🙂" list')).toEqual([9, 13]);
    expect(stretchIn(finding().where, '    list = 1')).toEqual([4, 8]);
  });

  test('without columns, or beyond the end, is the line but its indentation', () => {
    expect(stretchIn(finding({ column: 0, end: 0 }).where, '    import yaml  ')).toEqual([4, 15]);
    expect(stretchIn(finding({ column: 40, end: 44 }).where, '  x')).toEqual([2, 3]);
  });

  test('findings come in the order of the text, and only those that are there', () => {
    const first = finding({ line: 1, column: 0, end: 3, text: 'def f():' });
    const gone = finding({ text: 'gone' });
    const found = stretchesIn([finding(), gone, first], lines('def f():', '    list = 1'));
    expect(found.map(({ from, to }) => [from, to])).toEqual([
      [0, 3],
      [13, 17]
    ]);
  });
});

test('the number of a cell is in its name, a file has none', () => {
  expect(cellNumber({ cell: 'Cell In[12]' })).toBe(12);
  expect(cellNumber({ cell: 'mylib.py' })).toBeNull();
});

describe('the list', () => {
  const spot = (line: number, here = true): { line: number; here: boolean; jump: () => void } => ({ line, here, jump: () => undefined });

  test('says how many there are, what, what to do, and leads to the place', () => {
    const view = new FindingsView({ findings: [finding({}, { severity: 'error' }), finding()], told: new Set() }, ENGLISH);
    let went = 0;
    view.show(() => ({ ...spot(7), jump: () => went++ }));
    expect(view.node.querySelector('h4')?.textContent).toBe('1 error, 1 warning');
    const item = view.node.querySelector('li');
    expect(item?.textContent).toBe("Error: The name 'list' …Use rows.Line 7shadowed-builtin");
    expect(item?.querySelector('.kfp-finding-text code')?.textContent).toBe('rows');
    item?.querySelector('button')?.click();
    expect(went).toBe(1);
  });

  test('names the cell of what is elsewhere, and leads nowhere when that was changed or is a file', () => {
    const view = new FindingsView({ findings: [finding()], told: new Set() }, ENGLISH);
    const where = (): string | undefined => view.node.querySelector('.kfp-finding-where > *')?.outerHTML;
    view.show(() => spot(2, false));
    expect(where()).toContain('>Cell In[3], line 2</button>');
    view.show(() => spot(0, false));
    expect(where()).toBe('<span>Cell In[3], line 2 · changed since</span>');
    const inFile = new FindingsView({ findings: [finding({ cell: 'lib.py' })], told: new Set() }, KOREAN);
    inFile.show(() => null);
    expect(inFile.node.querySelector('.kfp-finding-where > span')?.textContent).toBe('lib.py, 2번째 줄');
  });

  test('is brief on what the traceback has told', () => {
    const view = new FindingsView({ findings: [finding({}, { severity: 'error' })], told: new Set(['error']) }, ENGLISH);
    view.show(() => spot(2));
    expect(view.node.textContent).toBe("Error: Line 2The name 'list' …");
  });
});
