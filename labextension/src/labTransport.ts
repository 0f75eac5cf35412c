/**
 * The way from JupyterLab to a kernel and back: two comms on one kernel connection.
 *
 *     kfp_jupyter.runs       opened here, spoken on by the kernel: its first word is that it knows kfp_jupyter
 *     kfp_jupyter.commands   opened here after that; a question, and its answer
 *     kfp_jupyter.hello      opened by the kernel when the extension is loaded: connect now
 *
 * Two, because what the kernel says unasked on a comm makes ipykernel handle everything said on that comm in the main
 * shell, where it waits for the running cell; the commands comm stays on its subshell. Comms belong to a kernel
 * connection, die with a restart, and are unknown to the kernel after the page was closed; so they are dropped on the
 * first sign of a restart, opened anew when the kernel is back or the network was away, and closed when the page goes.
 */
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';

import { COMMANDS_TARGET, type CommandRequest, HELLO_TARGET, RUNS_TARGET } from './protocol';
import { SideComm } from './sideComm';
import type { ConnectionState, Transport } from './store';
import type { Translation } from './translation';

/** The transport of one kernel connection, which must be the one that handles the kernel's comms. */
export class LabTransport implements Transport {
  onMessage: (message: unknown) => void = () => undefined;
  onState: () => void = () => undefined;
  private current: ConnectionState = 'disconnected';
  private runs: SideComm | null = null;
  private commands: Promise<SideComm> | null = null;
  /** Counts connections, so that what belongs to an earlier one is recognised. */
  private turn = 0;
  private disposed = false;
  /** The connection broke off, and JupyterLab tries to mend it. */
  private broken = false;
  private readonly leavePage = (): void => {
    this.drop(true);
    this.become('disconnected');
  };

  constructor(
    private readonly kernel: Kernel.IKernelConnection,
    private readonly trans: Translation
  ) {
    kernel.registerCommTarget(HELLO_TARGET, this.onHello);
    kernel.statusChanged.connect(this.onStatus);
    kernel.connectionStatusChanged.connect(this.onConnection);
    window.addEventListener('pagehide', this.leavePage);
    this.connect();
  }

  get state(): ConnectionState {
    return this.current;
  }

  send(request: CommandRequest): void {
    this.openedCommands().then(
      comm => {
        comm.send(request as unknown as JSONObject);
      },
      (reason: unknown) => {
        this.commands = null;
        const what = this.trans.__('The kernel could not be asked.');
        const error = { what, where: String(reason), remedy: this.trans.__('Try again.') };
        this.onMessage({ id: request.id, error });
      }
    );
  }

  dispose(): void {
    this.disposed = true;
    window.removeEventListener('pagehide', this.leavePage);
    this.kernel.statusChanged.disconnect(this.onStatus);
    this.kernel.connectionStatusChanged.disconnect(this.onConnection);
    if (!this.kernel.isDisposed) {
      this.kernel.removeCommTarget(HELLO_TARGET, this.onHello);
    }
    this.drop(true);
    this.become('disconnected');
  }

  /** Open the runs comm, unless that is under way. */
  private connect(): void {
    this.drop(true);
    const turn = this.turn;
    this.become('connecting');
    this.openedRuns(turn).catch((reason: unknown) => {
      if (turn === this.turn) {
        console.warn('kfp_jupyter: the kernel could not be connected', reason);
        this.drop(false);
        this.become('disconnected');
      }
    });
  }

  private async openedRuns(turn: number): Promise<void> {
    const onMessage = (data: unknown): void => {
      if (turn === this.turn) {
        this.become('connected');
        this.onMessage(data);
      }
    };
    const onClose = (): void => {
      if (turn !== this.turn) {
        return;
      }
      const lost = this.current === 'connected';
      this.drop(false);
      if (lost) {
        // Closed to make room for another page, or because the extension was unloaded: one question tells which.
        this.connect();
      } else {
        this.become('not-loaded');
      }
    };
    this.runs = new SideComm(this.kernel, RUNS_TARGET, onMessage, onClose);
    await this.runs.open();
  }

  private openedCommands(): Promise<SideComm> {
    this.commands ??= this.openCommands();
    return this.commands;
  }

  private async openCommands(): Promise<SideComm> {
    const onMessage = (data: unknown): void => {
      this.onMessage(data);
    };
    const onClose = (): void => {
      // The next question opens another.
      this.commands = null;
    };
    const comm = new SideComm(this.kernel, COMMANDS_TARGET, onMessage, onClose);
    await comm.open();
    return comm;
  }

  /** Forget the comms; tell the kernel so, if it is there to hear it. */
  private drop(tell: boolean): void {
    this.turn++;
    this.runs?.close(tell);
    this.commands?.then(
      comm => {
        comm.close(tell);
      },
      () => undefined
    );
    this.runs = null;
    this.commands = null;
  }

  private readonly onHello = (): void => {
    // The kernel closes the comm of its hello itself, at once; one disposed of here would not be found then.
    this.connect();
  };

  private readonly onStatus = (_: Kernel.IKernelConnection, status: KernelMessage.Status): void => {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead' || status === 'terminating') {
      this.drop(false);
      this.become('disconnected');
    } else if (status === 'idle' && this.current === 'disconnected') {
      this.connect();
    }
  };

  private readonly onConnection = (_: Kernel.IKernelConnection, status: Kernel.ConnectionStatus): void => {
    if (status === 'connecting' && this.current !== 'disconnected') {
      // What the kernel says until it is connected again may never come here. So nothing of before counts any more.
      this.broken = true;
      this.turn++;
      this.become('connecting');
    } else if (status === 'connected' && (this.broken || this.current === 'disconnected')) {
      this.broken = false;
      this.connect();
    } else if (status === 'disconnected') {
      this.drop(false);
      this.become('disconnected');
    }
  };

  private become(state: ConnectionState): void {
    if (state !== this.current && !(this.disposed && state !== 'disconnected')) {
      this.current = state;
      this.onState();
    }
  }
}
