import type { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { beforeEach, expect, test } from 'vitest';

import type { Kernels } from '../src/kernels';
import { Keeper, rendererFactory } from '../src/mime';
import { RUN_MIME_TYPE, type RunDocument } from '../src/protocol';
import type { Store } from '../src/store';
import { ENGLISH } from '../src/translation';
import { document as shared, runDocument } from './documents';
import { type FakeTransport, connectedStore, settled, workbench } from './fakes';

/** An output model as far as the keeper uses one. */
class FakeOutput {
  writes = 0;
  constructor(private data: Record<string, unknown>) {}
  toJSON(): object {
    return { output_type: 'display_data', data: this.data };
  }
  setData({ data }: { data: Record<string, unknown> }): void {
    this.writes += 1;
    this.data = data;
  }
  get run(): RunDocument['run'] {
    return (this.data[RUN_MIME_TYPE] as RunDocument).run;
  }
}

let store: Store;
let kernel: FakeTransport;
let outputs: FakeOutput[];

beforeEach(() => {
  ({ store, kernel } = connectedStore());
});

/** Open a notebook that holds one cell with these documents as outputs. */
function open(...documents: RunDocument[]): void {
  outputs = documents.map(document => new FakeOutput({ [RUN_MIME_TYPE]: document, 'text/plain': 'before' }));
  const cell = { type: 'code', outputs: { length: outputs.length, get: (index: number) => outputs[index] } };
  const panel = {
    sessionContext: {},
    context: { ready: Promise.resolve() },
    model: { cells: [{ type: 'markdown' }, cell] }
  };
  const disposed = new Signal<object, undefined>(panel);
  const kernels = {
    follow: (_: unknown, onStore: (found: Store) => void) => {
      onStore(store);
      return () => undefined;
    }
  };
  new Keeper({ ...panel, disposed } as unknown as NotebookPanel, kernels as unknown as Kernels);
}

function bundle(document: RunDocument): Record<string, unknown> {
  return { [RUN_MIME_TYPE]: document, 'text/html': '<p>', 'text/plain': 'after' };
}

const running = runDocument('running');
const ended = runDocument('running');
ended.run.state = 'SUCCEEDED';
ended.run.version += 1;

test('the end of a run is written where its pipeline stands, once', async () => {
  open(shared('pipeline'));
  kernel.say(workbench(running));
  kernel.say({ type: 'run', document: running });
  await settled();
  kernel.answer('pipeline', { result: running });
  await settled();
  expect(outputs[0]?.writes).toBe(0);

  kernel.say({ type: 'run', document: ended });
  kernel.say(workbench(ended));
  await settled();
  kernel.answer('pipeline', { result: ended });
  await settled();
  kernel.answer('bundle', { result: bundle(ended) });
  await settled();
  expect(outputs[0]?.writes).toBe(1);
  expect(outputs[0]?.run).toMatchObject({ id: running.run.id, state: 'SUCCEEDED' });

  kernel.say(workbench(ended));
  kernel.say({ ...workbench(ended), target: 'other' });
  await settled();
  expect(outputs[0]?.writes).toBe(1);
  expect(kernel.sent).toEqual([]);
});

test('the end of a run is written also if the list of runs tells of it first', async () => {
  open(shared('open'));
  kernel.say(workbench(running));
  kernel.say({ type: 'run', document: running });
  await settled();

  kernel.say(workbench(ended));
  await settled();
  expect(kernel.sent).toEqual([]);
  const { id, version } = running.run;
  kernel.say({ type: 'delta', run: id, base: version, version: version + 1, fields: { state: 'SUCCEEDED' }, tasks: {} });
  await settled();
  kernel.answer('bundle', { result: bundle(ended) });
  await settled();
  expect(outputs[0]?.run).toMatchObject({ id, state: 'SUCCEEDED' });
});

test('an open run that ended while the notebook was closed is written when it is opened', async () => {
  open(shared('open'));
  kernel.say(workbench(ended));
  await settled();
  kernel.answer('snapshot', { result: ended });
  await settled();
  kernel.answer('bundle', { result: bundle(ended) });
  await settled();
  expect(outputs[0]?.run).toMatchObject({ state: 'SUCCEEDED' });
});

test('a run that goes on is never written', async () => {
  open(shared('open'));
  kernel.say(workbench(running));
  kernel.say({ type: 'run', document: running });
  await settled();
  expect(kernel.sent).toEqual([]);
  expect(outputs[0]?.writes).toBe(0);
});

test('an output that holds the run already is left alone', async () => {
  open(shared('succeeded'));
  kernel.say(workbench(runDocument('succeeded')));
  await settled();
  expect(kernel.sent).toEqual([]);
  expect(outputs[0]?.writes).toBe(0);
});

test('an answer that is no bundle is not written', async () => {
  open(shared('open'));
  kernel.say(workbench(ended));
  await settled();
  kernel.answer('snapshot', { result: ended });
  await settled();
  kernel.answer('bundle', { result: { 'text/plain': 'nothing' } });
  await settled();
  expect(outputs[0]?.writes).toBe(0);
});

test('the renderer says that it is safe, and draws an untrusted document or says that it cannot', async () => {
  const factory = rendererFactory({} as Kernels, ENGLISH);
  expect(factory).toMatchObject({ safe: true, defaultRank: -20, mimeTypes: [RUN_MIME_TYPE] });
  const renderer = factory.createRenderer({} as never);
  const model = { trusted: false, metadata: {}, setData: () => undefined };
  await renderer.renderModel({ ...model, data: { [RUN_MIME_TYPE]: shared('succeeded') as never } });
  expect(renderer.node.querySelector('.kfp-chip')?.textContent).toBe('succeeded');
  const other = factory.createRenderer({} as never);
  await other.renderModel({ ...model, data: { [RUN_MIME_TYPE]: 'odd' } });
  expect(other.node.textContent).toContain('another version');
  renderer.dispose();
});
