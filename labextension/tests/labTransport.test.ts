import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { COMMANDS_TARGET, HELLO_TARGET, RUNS_TARGET } from '../src/protocol';
import { LabTransport } from '../src/labTransport';
import { ENGLISH } from '../src/translation';
import { settled } from './fakes';

/** A comm of {@link FakeKernel}. */
class FakeComm {
  isDisposed = false;
  commsOverSubshells = 'perCommTarget';
  subshellId: string | null = null;
  readonly subshellStarted: Promise<void>;
  onMsg: (message: unknown) => void = () => undefined;
  onClose: (message: unknown) => void = () => undefined;
  closedFromHere = false;
  constructor(
    readonly targetName: string,
    readonly commId: string,
    started: Promise<string>
  ) {
    this.subshellStarted = started.then(id => {
      this.subshellId = id;
    });
  }
  close(): void {
    this.closedFromHere = true;
    this.isDisposed = true;
  }
  dispose(): void {
    this.isDisposed = true;
  }
}

/** A kernel connection as far as a transport uses one; the test is the kernel. */
class FakeKernel {
  status = 'idle';
  connectionStatus = 'connected';
  isDisposed = false;
  supportsSubshells = false;
  readonly clientId = 'page';
  readonly username = '';
  readonly comms: FakeComm[] = [];
  readonly sent: { type: string; target: string; subshell: string | null; content: unknown }[] = [];
  readonly statusChanged = new Signal<this, string>(this);
  readonly connectionStatusChanged = new Signal<this, string>(this);
  readonly targets = new Map<string, () => void>();
  answerInfo: (subshells: boolean) => void = () => undefined;
  giveSubshell: (id: string) => void = () => undefined;
  readonly info: Promise<unknown>;
  private readonly started: Promise<string>;

  constructor(silent: boolean) {
    this.info = new Promise(resolve => {
      this.answerInfo = subshells => {
        this.supportsSubshells = subshells;
        resolve({});
      };
    });
    // A kernel that has no subshells never starts one.
    this.started = this.info.then(() => (this.supportsSubshells ? 'lab-subshell' : new Promise<string>(() => undefined)));
    if (!silent) {
      this.answerInfo(true);
    }
  }
  registerCommTarget(target: string, callback: () => void): void {
    this.targets.set(target, callback);
  }
  removeCommTarget(target: string): void {
    this.targets.delete(target);
  }
  createComm(target: string): FakeComm {
    const comm = new FakeComm(target, `comm-${this.comms.length}`, this.started);
    this.comms.push(comm);
    return comm;
  }
  sendShellMessage(message: KernelMessage.IMessage): void {
    const content = message.content as { comm_id: string; data: unknown };
    const target = this.comms.find(comm => comm.commId === content.comm_id)?.targetName ?? '';
    const { msg_type: type, subshell_id: subshell } = message.header as KernelMessage.IHeader & { subshell_id?: string };
    this.sent.push({ type, target, subshell: subshell ?? null, content: content.data });
  }
  sendControlMessage(message: KernelMessage.IMessage): { done: Promise<unknown> } {
    this.sent.push({ type: message.header.msg_type, target: '', subshell: null, content: {} });
    const done = new Promise(resolve => {
      this.giveSubshell = id => {
        resolve({ content: { subshell_id: id } });
      };
    });
    return { done };
  }

  /** Say something on the newest comm of a target. */
  say(target: string, data: unknown): void {
    this.newest(target).onMsg({ content: { data } });
  }
  /** Close the newest comm of a target, as the kernel. */
  close(target: string): void {
    const comm = this.newest(target);
    comm.isDisposed = true;
    comm.onClose({});
  }
  become(status: string): void {
    this.status = status;
    this.statusChanged.emit(status);
  }
  newest(target: string): FakeComm {
    const comm = this.comms.filter(each => each.targetName === target).at(-1);
    if (comm === undefined) {
      throw new Error(`no comm ${target}`);
    }
    return comm;
  }
  opened(target: string): number {
    return this.sent.filter(each => each.type === 'comm_open' && each.target === target).length;
  }
}

let kernel: FakeKernel;
let transport: LabTransport;
let heard: unknown[] = [];

function start(silent = false): void {
  heard = [];
  kernel = new FakeKernel(silent);
  transport = new LabTransport(kernel as unknown as Kernel.IKernelConnection, ENGLISH);
  transport.onMessage = message => {
    heard.push(message);
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  transport.dispose();
  vi.useRealTimers();
});

test('it is connected with the first word of the kernel', async () => {
  start();
  await settled();
  expect(transport.state).toBe('connecting');
  expect(kernel.opened(RUNS_TARGET)).toBe(1);
  kernel.say(RUNS_TARGET, { type: 'workbench' });
  expect(transport.state).toBe('connected');
  expect(heard).toEqual([{ type: 'workbench' }]);
});

test('a kernel that closes the comm does not know kfp_jupyter, until it says hello', async () => {
  start();
  await settled();
  kernel.close(RUNS_TARGET);
  expect(transport.state).toBe('not-loaded');
  kernel.targets.get(HELLO_TARGET)?.();
  expect(transport.state).toBe('connecting');
  await settled();
  kernel.say(RUNS_TARGET, {});
  expect(transport.state).toBe('connected');
});

test('commands have a comm of their own, opened by the first and on a subshell', async () => {
  start();
  await settled();
  kernel.say(RUNS_TARGET, {});
  transport.send({ id: 1, method: 'cancel', params: { run: 'a' } });
  transport.send({ id: 2, method: 'cancel', params: { run: 'b' } });
  await settled();
  expect(kernel.opened(COMMANDS_TARGET)).toBe(1);
  const sent = kernel.sent.filter(each => each.type === 'comm_msg');
  expect(sent.map(each => [each.target, each.subshell, (each.content as { id: number }).id])).toEqual([
    [COMMANDS_TARGET, 'lab-subshell', 1],
    [COMMANDS_TARGET, 'lab-subshell', 2]
  ]);
  kernel.say(COMMANDS_TARGET, { id: 1, result: {} });
  expect(heard.at(-1)).toEqual({ id: 1, result: {} });
});

test('a commands comm that the kernel closed is opened anew by the next command', async () => {
  start();
  await settled();
  kernel.say(RUNS_TARGET, {});
  transport.send({ id: 1, method: 'cancel', params: { run: 'a' } });
  await settled();
  kernel.close(COMMANDS_TARGET);
  transport.send({ id: 2, method: 'cancel', params: { run: 'a' } });
  await settled();
  expect(kernel.opened(COMMANDS_TARGET)).toBe(2);
});

test('a kernel that runs a cell is asked for a subshell on the control channel', async () => {
  start(true);
  await vi.advanceTimersByTimeAsync(1000);
  expect(kernel.sent.map(each => each.type)).toEqual(['create_subshell_request']);
  kernel.giveSubshell('side');
  await vi.advanceTimersByTimeAsync(0);
  expect(kernel.sent.at(-1)).toMatchObject({ type: 'comm_open', target: RUNS_TARGET, subshell: 'side' });
});

test('a kernel without subshells that runs a cell is waited for', async () => {
  start(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(kernel.opened(RUNS_TARGET)).toBe(0);
  kernel.answerInfo(false);
  await vi.advanceTimersByTimeAsync(0);
  expect(kernel.sent.at(-1)).toMatchObject({ type: 'comm_open', target: RUNS_TARGET, subshell: null });
});

test('a restart ends the connection, and the kernel that comes back is asked anew', async () => {
  start();
  await settled();
  kernel.say(RUNS_TARGET, {});
  const old = kernel.newest(RUNS_TARGET);
  kernel.become('restarting');
  expect(transport.state).toBe('disconnected');
  expect([old.isDisposed, old.closedFromHere]).toEqual([true, false]);
  kernel.become('idle');
  await settled();
  expect(kernel.opened(RUNS_TARGET)).toBe(2);
  kernel.become('idle');
  await settled();
  expect(kernel.opened(RUNS_TARGET)).toBe(2);
});

test('what an earlier connection still says is not heard', async () => {
  start();
  await settled();
  const old = kernel.newest(RUNS_TARGET);
  const say = old.onMsg;
  kernel.targets.get(HELLO_TARGET)?.();
  await settled();
  say({ content: { data: 'late' } });
  expect(heard).toEqual([]);
  expect(transport.state).toBe('connecting');
});

test('a page that goes closes its comms, for nothing else tells the kernel', async () => {
  start();
  await settled();
  kernel.say(RUNS_TARGET, {});
  transport.send({ id: 1, method: 'cancel', params: { run: 'a' } });
  await settled();
  window.dispatchEvent(new Event('pagehide'));
  await settled();
  expect(kernel.comms.map(comm => comm.closedFromHere)).toEqual([true, true]);
});

test('a connection that was lost is opened anew when it is back', async () => {
  start();
  await settled();
  kernel.say(RUNS_TARGET, {});
  kernel.connectionStatus = 'disconnected';
  kernel.connectionStatusChanged.emit('disconnected');
  expect(transport.state).toBe('disconnected');
  kernel.connectionStatus = 'connected';
  kernel.connectionStatusChanged.emit('connected');
  await settled();
  expect(kernel.opened(RUNS_TARGET)).toBe(2);
});

test('a connection that broke off is opened anew when JupyterLab has mended it: what was said meanwhile is lost', async () => {
  start();
  await settled();
  kernel.say(RUNS_TARGET, {});
  const old = kernel.newest(RUNS_TARGET);
  const say = old.onMsg;
  kernel.connectionStatus = 'connecting';
  kernel.connectionStatusChanged.emit('connecting');
  expect(transport.state).toBe('connecting');
  say({ content: { data: 'late' } });
  expect(transport.state).toBe('connecting');
  kernel.connectionStatus = 'connected';
  kernel.connectionStatusChanged.emit('connected');
  await settled();
  expect(old.closedFromHere).toBe(true);
  expect(kernel.opened(RUNS_TARGET)).toBe(2);
  kernel.say(RUNS_TARGET, { type: 'workbench' });
  expect(transport.state).toBe('connected');
  expect(heard).toEqual([{}, { type: 'workbench' }]);
});

test('the first connection is waited for and opened once', async () => {
  heard = [];
  kernel = new FakeKernel(false);
  kernel.connectionStatus = 'connecting';
  transport = new LabTransport(kernel as unknown as Kernel.IKernelConnection, ENGLISH);
  await settled();
  expect(kernel.opened(RUNS_TARGET)).toBe(0);
  kernel.connectionStatus = 'connected';
  kernel.connectionStatusChanged.emit('connected');
  await settled();
  expect(kernel.opened(RUNS_TARGET)).toBe(1);
});

test('a page that comes back after it was left is not connected any more, until the kernel speaks', async () => {
  start();
  await settled();
  kernel.say(RUNS_TARGET, {});
  window.dispatchEvent(new Event('pagehide'));
  expect(transport.state).toBe('disconnected');
  kernel.become('busy');
  kernel.become('idle');
  await settled();
  expect(kernel.opened(RUNS_TARGET)).toBe(2);
});
