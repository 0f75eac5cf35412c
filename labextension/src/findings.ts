/**
 * What checks have found: the data of an output, and where in a text each finding is.
 *
 * The kernel tells a finding's place as it was when its cell ran, with the text of the line. A cell may have been edited since,
 * in this page or another; so a finding is drawn only on a line that still has that text, wherever that line is now.
 */
import { isObject } from './protocol';

/** The MIME type whose content is {@link FindingsData}. */
export const FINDINGS_MIME_TYPE = 'application/vnd.kfp-jupyter.findings.v1+json';

/** How bad a finding is: an error stopped its cell, a warning did not. */
export type Severity = 'error' | 'warning';

/** Where a finding is, in the words of the cell as it ran. */
export interface Place {
  /** `Cell In[3]`, or a file. */
  cell: string;
  /** The line, from 1. */
  line: number;
  /** The first character, from 0; code points, as Python counts them. */
  column: number;
  /** The character after the last; the same as `column` where the whole line is meant. */
  end: number;
  /** The cell's id; empty if the kernel was not told it. */
  id: string;
  /** The text of the line; null if it was not kept. */
  text: string | null;
}

/** One thing that is wrong. */
export interface Finding {
  severity: Severity;
  /** What kind of thing, such as `undefined-name`. */
  code: string;
  what: string;
  where: Place;
  /** What to do; may be empty. */
  remedy: string;
}

/** What an output holds. */
export interface FindingsData {
  findings: Finding[];
  /** The severities that the cell's traceback has told already. */
  told: ReadonlySet<string>;
}

/** Return what an output of {@link FINDINGS_MIME_TYPE} holds, leaving out what is of another form. */
export function findingsIn(value: unknown): FindingsData {
  const listed = isObject(value) && Array.isArray(value.findings) ? (value.findings as unknown[]) : [];
  const told = isObject(value) && Array.isArray(value.told) ? value.told.map(String) : [];
  return { findings: listed.flatMap(each => findingOf(each) ?? []), told: new Set(told) };
}

/** Return the number under which a place's cell ran, or null if it is in no cell. */
export function cellNumber(place: { cell: string }): number | null {
  const match = /^Cell In\s?\[(\d+)\]$/.exec(place.cell);
  return match === null ? null : Number(match[1]);
}

/** Return what tells one finding from another. */
export function findingKey({ code, what, where }: Finding): string {
  return JSON.stringify([where.id, where.cell, where.line, where.column, where.end, code, what]);
}

/** The lines of a text, counted from 1; CodeMirror's `Text` is one. */
export interface Lines {
  readonly lines: number;
  line(number: number): { from: number; text: string };
}

/** Return the number of a place's line in a text, or 0 if the text has no such line any more. */
export function lineOf(place: Place, text: Lines, near = place.line): number {
  if (place.text === null) {
    return place.line <= text.lines ? place.line : 0;
  }
  let found = 0;
  for (let number = 1; number <= text.lines; number++) {
    if (text.line(number).text === place.text && (found === 0 || Math.abs(number - near) < Math.abs(found - near))) {
      found = number;
    }
  }
  return found;
}

/** Return how many lines of a text are like a place's. */
export function countOf(place: Place, text: Lines): number {
  let count = 0;
  for (let number = 1; number <= text.lines; number++) {
    count += Number(text.line(number).text === place.text);
  }
  return count;
}

/** Return the stretch of a place in its line, in UTF-16 units; where none is told, all but the indentation. */
export function stretchIn(place: Place, line: string): [from: number, to: number] {
  const units = (characters: number): number => Array.from(line).slice(0, characters).join('').length;
  if (place.end > place.column && units(place.column) < line.length) {
    return [units(place.column), units(place.end)];
  }
  return [line.length - line.trimStart().length, line.trimEnd().length];
}

/** A finding and where it is in a text. */
export interface Stretch {
  finding: Finding;
  from: number;
  to: number;
}

/** Return the findings that a text still has, in the order of the text. */
export function stretchesIn(findings: readonly Finding[], text: Lines): Stretch[] {
  const found = findings.flatMap(finding => {
    const number = lineOf(finding.where, text);
    if (number === 0) {
      return [];
    }
    const line = text.line(number);
    const [from, to] = stretchIn(finding.where, line.text);
    return [{ finding, from: line.from + from, to: line.from + to }];
  });
  return found.sort((a, b) => a.from - b.from || a.to - b.to);
}

function findingOf(value: unknown): Finding | null {
  if (!isObject(value) || !isObject(value.where) || typeof value.what !== 'string') {
    return null;
  }
  const { where } = value;
  const line = Number(where.line);
  const column = Number(where.column ?? 0);
  const end = Number(where.end ?? 0);
  if (![line, column, end].every(Number.isInteger) || line < 1) {
    return null;
  }
  return {
    severity: value.severity === 'error' ? 'error' : 'warning',
    code: text(value.code),
    what: value.what,
    where: { cell: text(where.cell), line, column, end, id: text(where.id), text: textOrNull(where.text) },
    remedy: text(value.remedy)
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
