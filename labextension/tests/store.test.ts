import { beforeEach, expect, test, vi } from 'vitest';

import { type Change, CommandError } from '../src/store';
import { runDocument, taskOf } from './documents';
import { connectedStore, settled, workbench } from './fakes';

const running = runDocument('running');
const { id, version } = running.run;

let { store, kernel } = connectedStore();
let changes: Change[] = [];

beforeEach(() => {
  ({ store, kernel } = connectedStore());
  changes = [];
  store.subscribe(change => changes.push(change));
});

function delta(base: number, next: number, fields: object = {}): object {
  const task = { ...taskOf(running, 'split'), state: 'FAILED' };
  return { type: 'delta', run: id, base, version: next, fields, tasks: { split: task } };
}

test('a run that was told is known, and a delta changes whole tasks and single fields of it', () => {
  kernel.say({ type: 'run', document: running });
  const before = store.document(id);
  kernel.say(delta(version, version + 2, { state: 'FAILED', message: 'split failed' }));

  const run = store.document(id)?.run;
  expect(run).toMatchObject({ version: version + 2, state: 'FAILED', message: 'split failed', id });
  expect(run?.tasks.split?.state).toBe('FAILED');
  expect(run?.tasks.load).toEqual(running.run.tasks.load);
  expect(changes.at(-1)).toEqual({ kind: 'run', run: id, tasks: new Set(['split']) });
  // A view that kept the document from before can still compare.
  expect(before?.run.tasks.split?.state).toBe('SUCCEEDED');
});

test('a delta that is known already changes nothing', () => {
  kernel.say({ type: 'run', document: running });
  changes = [];
  kernel.say(delta(version - 3, version));
  expect(changes).toEqual([]);
  expect(kernel.sent).toEqual([]);
});

test('a delta that begins before what is known and ends after it applies, for it carries whole tasks', () => {
  kernel.say({ type: 'run', document: running });
  kernel.say(delta(version - 3, version + 1));
  expect(store.document(id)?.run.version).toBe(version + 1);
  expect(kernel.sent).toEqual([]);
});

test('a gap between versions asks for one snapshot, however many deltas arrive meanwhile', async () => {
  kernel.say({ type: 'run', document: running });
  kernel.say(delta(version + 1, version + 2));
  kernel.say(delta(version + 2, version + 3));
  expect(kernel.sent.map(request => [request.method, request.params])).toEqual([['snapshot', { run: id }]]);

  const snapshot = runDocument('running');
  snapshot.run.version = version + 3;
  kernel.answer('snapshot', { result: snapshot });
  await settled();
  expect(store.document(id)?.run.version).toBe(version + 3);
});

test('a snapshot that a newer message overtook is dropped', async () => {
  const asked = store.fetch(id);
  const newer = runDocument('running');
  newer.run.version = version + 5;
  kernel.say({ type: 'run', document: newer });
  kernel.answer('snapshot', { result: running });
  expect((await asked).run.version).toBe(version + 5);
  expect(store.document(id)?.run.version).toBe(version + 5);
});

test('a delta of an unknown run asks for its snapshot', () => {
  kernel.say(delta(3, 4));
  expect(kernel.sent.map(request => request.method)).toEqual(['snapshot']);
});

test('the newest run of a pipeline is the first in the workbench', () => {
  const older = runDocument('failed');
  kernel.say(workbench(running, older));
  expect(store.latest('cancer-classifier')?.id).toBe(id);
  expect(store.latest('another')).toBeNull();
});

test('an error of the kernel becomes an exception that says what, where and what to do', async () => {
  const asked = store.request('run', { pipeline: 'p', target: 'local', arguments: {} });
  kernel.answer('run', { error: { what: 'No such pipeline.', where: 'p', remedy: 'Run its cell.' } });
  await expect(asked).rejects.toThrow('No such pipeline. p Run its cell.');
});

test('answers find their questions in any order', async () => {
  const first = store.request('cancel', { run: 'a' });
  const second = store.request('use', { target: 'local' });
  kernel.answer('use', { result: { second: true } });
  kernel.answer('cancel', { result: { first: true } });
  expect(await first).toEqual({ first: true });
  expect(await second).toEqual({ second: true });
});

test('a question that is not answered in time fails and says so', async () => {
  vi.useFakeTimers();
  try {
    ({ store, kernel } = connectedStore(2000));
    const asked = store.request('cancel', { run: id });
    const failed = expect(asked).rejects.toThrow('did not answer within 2 seconds');
    vi.advanceTimersByTime(2001);
    await failed;
    // A late answer finds nobody and does no harm.
    kernel.answer('cancel', { result: {} });
  } finally {
    vi.useRealTimers();
  }
});

test('when the kernel goes away questions fail, and what was known stays as last seen', async () => {
  kernel.say({ type: 'run', document: running });
  const asked = store.request('cancel', { run: id });
  kernel.become('disconnected');
  await expect(asked).rejects.toBeInstanceOf(CommandError);
  expect(store.document(id)?.run.version).toBe(version);
  await expect(store.request('cancel', { run: id })).rejects.toThrow('not connected');
});

test('a new connection starts anew, since another kernel counts versions anew', () => {
  kernel.say({ type: 'run', document: running });
  kernel.become('disconnected');
  kernel.become('connected');
  expect(store.document(id)).toBeNull();
  const fresh = runDocument('running');
  fresh.run.version = 2;
  kernel.say({ type: 'run', document: fresh });
  expect(store.document(id)?.run.version).toBe(2);
});

test('a listener that left hears nothing, and one that leaves while listening does no harm', () => {
  const heard: string[] = [];
  const leave = store.subscribe(change => {
    heard.push(change.kind);
    leave();
  });
  kernel.say(workbench(running));
  kernel.say(workbench());
  expect(heard).toEqual(['workbench']);
});

test('a message that is not understood is reported and survived', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  kernel.say({ type: 'news' });
  expect(warn).toHaveBeenCalledOnce();
  expect(changes).toEqual([]);
});

test('a change that was told while the snapshot was under way is not lost, though the snapshot is older', async () => {
  kernel.say({ type: 'run', document: running });
  kernel.say(delta(version + 1, version + 2));
  const [question] = kernel.sent.splice(0);
  // The kernel made the answer before the run ended, and sent it after it had told of the end.
  kernel.say(delta(version + 2, version + 3, { state: 'FAILED' }));
  const older = runDocument('running');
  older.run.version = version + 2;
  kernel.say({ id: question?.id, result: older });
  await settled();
  const ended = runDocument('running');
  ended.run = { ...ended.run, version: version + 3, state: 'FAILED' };
  kernel.answer('snapshot', { result: ended });
  await settled();
  expect(store.document(id)?.run.state).toBe('FAILED');
  expect(kernel.sent).toEqual([]);
});

test('a change of a run that somebody has just asked for is not lost either', async () => {
  const asked = store.fetch(id);
  const [question] = kernel.sent.splice(0);
  kernel.say(delta(version, version + 1, { state: 'FAILED' }));
  kernel.say({ id: question?.id, result: running });
  await asked;
  await settled();
  const ended = runDocument('running');
  ended.run = { ...ended.run, version: version + 1, state: 'FAILED' };
  kernel.answer('snapshot', { result: ended });
  await settled();
  expect(store.document(id)?.run.state).toBe('FAILED');
});

test('a snapshot for a gap is asked for again if the kernel was too busy to answer', async () => {
  vi.useFakeTimers();
  try {
    ({ store, kernel } = connectedStore(2000));
    kernel.say(delta(3, 4));
    kernel.sent.splice(0);
    await vi.advanceTimersByTimeAsync(2001);
    kernel.answer('snapshot', { result: running });
    await vi.advanceTimersByTimeAsync(0);
    expect(store.document(id)?.run.version).toBe(version);
    await vi.advanceTimersByTimeAsync(9000);
    expect(kernel.sent).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test('a run that is told anew does not go back behind what was asked for', () => {
  const newer = runDocument('running');
  newer.run.version = version + 5;
  kernel.say({ type: 'run', document: newer });
  kernel.say({ type: 'run', document: running });
  expect(store.document(id)?.run.version).toBe(version + 5);
});

test('an answer that comes too late says that the kernel answers again', async () => {
  vi.useFakeTimers();
  try {
    ({ store, kernel } = connectedStore(2000));
    store.subscribe(change => changes.push(change));
    const asked = store.request('cancel', { run: id });
    const failed = expect(asked).rejects.toMatchObject({ unanswered: true });
    vi.advanceTimersByTime(2001);
    await failed;
    expect(changes).toEqual([]);
    const late = kernel.sent[0]?.id;
    kernel.answer('cancel', { result: {} });
    kernel.say({ id: late, result: {} });
    expect(changes).toEqual([{ kind: 'answering' }]);
  } finally {
    vi.useRealTimers();
  }
});

test('whoever listens to a store that is given up hears that its kernel is gone', () => {
  const states: string[] = [];
  store.subscribe(() => states.push(store.connection));
  store.dispose();
  expect(states).toEqual(['disconnected']);
});
