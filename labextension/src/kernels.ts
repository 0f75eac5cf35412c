/**
 * One store for each kernel, however many notebooks and consoles of this page use it.
 *
 * JupyterLab lets only one connection to a kernel handle comms, so stores are kept by the kernel's id and not by connection.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';

import { LabTransport } from './labTransport';
import { Store } from './store';
import type { Translation } from './translation';

/** The stores of the kernels that this page talks to. */
export class Kernels {
  private readonly stores = new Map<string, Store>();
  /** Those who follow a session, to look again when a kernel gets a store or loses it. */
  private readonly followers = new Set<() => void>();

  constructor(private readonly trans: Translation) {}

  /** Return the store of a kernel; null if there is none, or none that this page could talk to. */
  storeOf(kernel: Kernel.IKernelConnection | null | undefined): Store | null {
    if (kernel === null || kernel === undefined || kernel.isDisposed) {
      return null;
    }
    const known = this.stores.get(kernel.id);
    if (known !== undefined || !kernel.handleComms) {
      return known ?? null;
    }
    const store = new Store(new LabTransport(kernel, this.trans), this.trans);
    this.stores.set(kernel.id, store);
    kernel.disposed.connect(() => {
      this.stores.delete(kernel.id);
      store.dispose();
      this.lookAgain();
    });
    this.lookAgain();
    return store;
  }

  /**
   * Call `onStore` with the store of a session's kernel, now and whenever the session gets another kernel.
   *
   * @returns the function that ends this.
   */
  follow(session: ISessionContext, onStore: (store: Store | null) => void): () => void {
    let told: Store | null | undefined;
    const update = (): void => {
      const store = this.storeOf(session.session?.kernel);
      if (store !== told) {
        told = store;
        onStore(store);
      }
    };
    const end = (): void => {
      this.followers.delete(update);
      session.kernelChanged.disconnect(update);
      session.disposed.disconnect(end);
    };
    this.followers.add(update);
    session.kernelChanged.connect(update);
    session.disposed.connect(end);
    update();
    return end;
  }

  private lookAgain(): void {
    for (const update of [...this.followers]) {
      update();
    }
  }
}
