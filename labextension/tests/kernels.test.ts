import type { ISessionContext } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';
import { expect, test } from 'vitest';

import { Kernels } from '../src/kernels';
import type { Store } from '../src/store';
import { ENGLISH } from '../src/translation';

/** A connection to a kernel as far as stores are kept by it; it never gets a word from the kernel. */
class FakeConnection {
  readonly id = 'kernel-1';
  isDisposed = false;
  connectionStatus = 'connecting';
  readonly disposed = new Signal<this, undefined>(this);
  readonly statusChanged = new Signal<this, string>(this);
  readonly connectionStatusChanged = new Signal<this, string>(this);
  constructor(readonly handleComms: boolean) {}
  readonly registerCommTarget = (): void => undefined;
  readonly removeCommTarget = (): void => undefined;
  createComm(): object {
    return { dispose: () => undefined, close: () => undefined };
  }
  dispose(): void {
    this.isDisposed = true;
    this.disposed.emit(undefined);
  }
}

/** Follow a session over a connection; return what it was given so far. */
function followed(kernels: Kernels, kernel: FakeConnection): (Store | null)[] {
  const given: (Store | null)[] = [];
  const session = { session: { kernel } };
  const signals = { kernelChanged: new Signal(session), disposed: new Signal(session) };
  kernels.follow({ ...session, ...signals } as unknown as ISessionContext, store => given.push(store));
  return given;
}

test('a notebook whose kernel was spoken to by a console hears when that is closed, and when there is another', () => {
  const kernels = new Kernels(ENGLISH);
  const console_ = new FakeConnection(true);
  followed(kernels, console_);
  const notebook = followed(kernels, new FakeConnection(false));
  const [store] = notebook;
  expect(store?.connection).toBe('connecting');
  const states: (string | undefined)[] = [];
  store?.subscribe(() => states.push(store.connection));

  console_.dispose();
  expect(notebook).toEqual([store, null]);
  expect(states[0]).toBe('disconnected');
  followed(kernels, new FakeConnection(true));
  expect(notebook).toHaveLength(3);
  expect(notebook[2]?.connection).toBe('connecting');
});
