import { expect, test } from 'vitest';

import { KOREAN_WORDS } from '../src/korean';
import { ENGLISH, KOREAN, ownWords } from '../src/translation';

const sources = import.meta.glob('../src/*.ts', { query: '?raw', import: 'default', eager: true });

/** Return the messages that the source asks for; of those that depend on a number, the plural. */
function messages(): string[] {
  const text = "'((?:[^'\\\\]|\\\\.)*)'";
  const single = new RegExp(`__\\(\\s*${text}`, 'g');
  const counted = new RegExp(`_n\\(\\s*${text},\\s*${text}`, 'g');
  return Object.values(sources).flatMap(source => [
    ...[...source.matchAll(single)].map(match => match[1] ?? ''),
    ...[...source.matchAll(counted)].map(match => match[2] ?? '')
  ]);
}

test('every word has its Korean, and no Korean is left over', () => {
  const wanted = [...new Set(messages())].sort();
  expect(wanted.length).toBeGreaterThan(80);
  expect(Object.keys(KOREAN_WORDS).sort()).toEqual(wanted);
});

test('every Korean word takes the arguments of the English one', () => {
  const marks = (text: string): string[] => (text.match(/%\d/g) ?? []).sort();
  for (const [english, korean] of Object.entries(KOREAN_WORDS)) {
    expect(marks(korean), english).toEqual(marks(english));
  }
});

test('arguments are filled in, in each language', () => {
  expect(ENGLISH.__('%1 of %2 tasks done.', 2, 8)).toBe('2 of 8 tasks done.');
  expect(KOREAN.__('%1 of %2 tasks done.', 2, 8)).toBe('태스크 8개 중 2개 완료.');
  expect(ENGLISH._n('%1 second', '%1 seconds', 1)).toBe('1 second');
  expect(KOREAN._n('%1 second', '%1 seconds', 1)).toBe('1초');
});

test('a language is known by its code', () => {
  expect(ownWords('ko_KR')).toBe(KOREAN);
  expect(ownWords('ko')).toBe(KOREAN);
  expect(ownWords('en-US')).toBe(ENGLISH);
  expect(ownWords('fr_FR')).toBeNull();
});
