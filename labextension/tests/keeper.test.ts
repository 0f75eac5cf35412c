import type { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

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
    contentChanged.emit(undefined);
  }
  get run(): RunDocument['run'] {
    return (this.data[RUN_MIME_TYPE] as RunDocument).run;
  }
}

let store: Store;
let kernel: FakeTransport;
let outputs: FakeOutput[];
let contentChanged: Signal<object, undefined>;

beforeEach(() => {
  ({ store, kernel } = connectedStore());
});

afterEach(() => {
  vi.useRealTimers();
});

/** Open a notebook that holds one cell with these documents as outputs. */
function open(...documents: RunDocument[]): void {
  outputs = documents.map(document => new FakeOutput({ [RUN_MIME_TYPE]: document, 'text/plain': 'before' }));
  const list = { get length() { return outputs.length; }, get: (index: number) => outputs[index] };
  const cell = { type: 'code', outputs: list };
  contentChanged = new Signal({});
  const panel = {
    sessionContext: {},
    context: { ready: Promise.resolve() },
    model: { cells: [{ type: 'markdown' }, cell], contentChanged }
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

test('an output whose run nobody knows any more does not keep the others from being written', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const gone = shared('open');
  gone.run = { id: 'gone-1' };
  gone.pipeline.name = 'gone';
  open(gone, shared('open'));
  kernel.say(workbench(ended));
  await settled();
  kernel.answer('snapshot', { error: { what: 'There is no run gone-1.', where: '', remedy: '' } });
  await settled();
  expect(warn).toHaveBeenCalledOnce();
  kernel.answer('snapshot', { result: ended });
  await settled();
  kernel.answer('bundle', { result: bundle(ended) });
  await settled();
  expect(outputs[1]?.run).toMatchObject({ state: 'SUCCEEDED' });
  expect(outputs[0]?.writes).toBe(0);
});

test('a kernel that was too busy to answer is asked again when it answers', async () => {
  vi.useFakeTimers();
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  ({ store, kernel } = connectedStore(2000));
  kernel.say({ type: 'run', document: ended });
  kernel.say(workbench(ended));
  open(shared('open'));
  await settled();
  const [late] = kernel.sent.splice(0);
  expect(late).toMatchObject({ method: 'bundle' });
  await vi.advanceTimersByTimeAsync(2001);
  expect(kernel.sent).toEqual([]);
  kernel.say({ id: late?.id, result: bundle(ended) });
  await settled();
  kernel.answer('bundle', { result: bundle(ended) });
  await settled();
  expect(outputs[0]?.run).toMatchObject({ state: 'SUCCEEDED' });
});

test('a run that somebody had go on after its end is written again at its new end', async () => {
  const failed = runDocument('failed');
  open(failed);
  kernel.say(workbench(failed));
  await settled();
  expect(kernel.sent).toEqual([]);

  // All of it within one round of the kernel: the list never told that the run goes on.
  const resumed = runDocument('failed');
  resumed.run = { ...resumed.run, state: 'SUCCEEDED', finished_at: (failed.run.finished_at ?? 0) + 60, version: failed.run.version + 5 };
  kernel.say(workbench(resumed));
  await settled();
  kernel.answer('snapshot', { result: resumed });
  await settled();
  kernel.answer('bundle', { result: bundle(resumed) });
  await settled();
  expect(outputs[0]?.run).toMatchObject({ state: 'SUCCEEDED' });
  expect(outputs[0]?.writes).toBe(1);
});

test('an output that was written while its end was asked for is looked at again', async () => {
  kernel.say({ type: 'run', document: ended });
  kernel.say(workbench(ended));
  open(shared('pipeline'));
  await settled();
  kernel.answer('pipeline', { result: ended });
  await settled();
  const named = shared('open');
  outputs[0]?.setData({ data: bundle(named) });
  kernel.answer('bundle', { result: bundle(ended) });
  await settled();
  expect(outputs[0]?.run).toEqual(named.run);
  kernel.answer('bundle', { result: bundle(ended) });
  await settled();
  expect(outputs[0]?.run).toMatchObject({ state: 'SUCCEEDED' });
});

test('an output that comes back into the notebook after its run has ended is written too, and asked for once', async () => {
  vi.useFakeTimers();
  open();
  kernel.say({ type: 'run', document: ended });
  kernel.say(workbench(ended));
  await settled();
  const back = new FakeOutput({ [RUN_MIME_TYPE]: shared('open') });
  outputs.push(back);
  contentChanged.emit(undefined);
  contentChanged.emit(undefined);
  await vi.advanceTimersByTimeAsync(200);
  expect(kernel.sent.map(request => request.method)).toEqual(['bundle']);
  kernel.answer('bundle', { result: { 'text/plain': 'nothing' } });
  await settled();
  contentChanged.emit(undefined);
  await vi.advanceTimersByTimeAsync(200);
  expect(kernel.sent).toEqual([]);

  outputs.push(new FakeOutput({ [RUN_MIME_TYPE]: shared('open') }));
  contentChanged.emit(undefined);
  await vi.advanceTimersByTimeAsync(200);
  // The one that could not be written is asked for along with it.
  kernel.answer('bundle', { result: bundle(ended) });
  await settled();
  kernel.answer('bundle', { result: bundle(ended) });
  await settled();
  expect(outputs.map(output => output.run)).toMatchObject([{ state: 'SUCCEEDED' }, { state: 'SUCCEEDED' }]);
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
