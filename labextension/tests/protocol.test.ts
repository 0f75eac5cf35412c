import { Ajv2020 } from 'ajv/dist/2020';
import { describe, expect, test } from 'vitest';

import schema from '../../kfp_jupyter/model/run.schema.json';
import { hasFullRun, isCommandReply, isKernelMessage, isRunDocument } from '../src/protocol';
import { document, documents, runDocument } from './documents';

describe('the run document', () => {
  const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema);

  test.each(Object.keys(documents))('the shared document %s follows the schema and is recognised', name => {
    expect(validate(document(name)), JSON.stringify(validate.errors)).toBe(true);
    expect(isRunDocument(document(name))).toBe(true);
  });

  test('only a run that is written out counts as full', () => {
    expect(hasFullRun(document('running'))).toBe(true);
    expect(hasFullRun(document('open'))).toBe(false);
    expect(hasFullRun(document('pipeline'))).toBe(false);
  });

  test.each([
    ['null', null],
    ['a list', []],
    ['another schema', { ...document('pipeline'), schema: 'kfp-jupyter/run.v9' }],
    ['no graph', { ...document('pipeline'), graph: undefined }],
    ['a run without an id', { ...document('pipeline'), run: {} }]
  ])('%s is no run document', (_, value) => {
    expect(isRunDocument(value)).toBe(false);
  });
});

describe('messages', () => {
  test('a run message needs a run that is written out', () => {
    expect(isKernelMessage({ type: 'run', document: runDocument('running') })).toBe(true);
    expect(isKernelMessage({ type: 'run', document: document('open') })).toBe(false);
  });

  test('a type that is not known is refused', () => {
    expect(isKernelMessage({ type: 'news' })).toBe(false);
    expect(isKernelMessage('workbench')).toBe(false);
  });

  test('a reply has an id and a result or an error', () => {
    expect(isCommandReply({ id: 1, result: {} })).toBe(true);
    expect(isCommandReply({ id: 1, result: null })).toBe(true);
    expect(isCommandReply({ id: 1, error: { what: 'w', where: '', remedy: '' } })).toBe(true);
    expect(isCommandReply({ id: 1 })).toBe(false);
    expect(isCommandReply({ type: 'run' })).toBe(false);
  });
});
