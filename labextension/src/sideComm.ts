/**
 * A comm that does not wait for the running cell, where the kernel can do that.
 *
 * Kernels with subshells handle a message on a subshell if it names one. JupyterLab gives a comm a subshell as soon as the
 * kernel has answered who it is; but after a page was reloaded while a cell runs, that answer comes when the cell has
 * ended. A subshell itself is asked for on the control channel, which is always served. So if the kernel is silent, a
 * subshell of our own is asked for, and the comm's messages are written to go there.
 */
import { type Kernel, KernelMessage } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';

/** Milliseconds after which a kernel counts as one that runs a cell. */
const PATIENCE = 800;

/** Kernels that were silent when last asked: with them, patience is short. */
const silent = new WeakSet<Kernel.IKernelConnection>();

/** Milliseconds that a kernel may take to give a subshell; one that has none does not answer at all. */
const CONTROL_PATIENCE = 5000;

/** A comm, opened from here. */
export class SideComm {
  private readonly comm: Kernel.IComm;
  private subshell: string | null = null;
  private closed = false;

  /**
   * @param onMessage - Called with the data of every message.
   * @param onClose - Called when the kernel closes the comm, or does not know the target.
   */
  constructor(
    private readonly kernel: Kernel.IKernelConnection,
    target: string,
    onMessage: (data: unknown) => void,
    onClose: () => void
  ) {
    this.comm = kernel.createComm(target);
    this.comm.onMsg = message => {
      onMessage(message.content.data);
    };
    this.comm.onClose = () => {
      this.closed = true;
      onClose();
    };
  }

  /** Open the comm in the kernel, unless it was closed meanwhile. */
  async open(): Promise<void> {
    this.subshell = await subshellFor(this.kernel, this.comm);
    if (!this.closed && !this.kernel.isDisposed) {
      const content = { comm_id: this.comm.commId, target_name: this.comm.targetName, data: {} };
      this.kernel.sendShellMessage(this.message('comm_open', content), false, true);
    }
  }

  /** Send data; to be called once the comm is open. */
  send(data: JSONObject): void {
    this.kernel.sendShellMessage(this.message('comm_msg', { comm_id: this.comm.commId, data }), false, true);
  }

  /**
   * Forget the comm.
   *
   * @param tell - Tell the kernel, if it is there to hear it.
   */
  close(tell: boolean): void {
    if (this.closed) {
      return;
    }
    this.closed = true;
    this.comm.onMsg = () => undefined;
    this.comm.onClose = () => undefined;
    if (tell && !this.comm.isDisposed && !this.kernel.isDisposed && this.kernel.connectionStatus === 'connected') {
      this.comm.close();
    } else {
      this.comm.dispose();
    }
  }

  private message<T extends 'comm_open' | 'comm_msg'>(
    msgType: T,
    content: T extends 'comm_open' ? KernelMessage.ICommOpenMsg['content'] : KernelMessage.ICommMsgMsg['content']
  ): KernelMessage.IShellMessage {
    const { kernel } = this;
    const options = { msgType, channel: 'shell', session: kernel.clientId, username: kernel.username, content };
    // JupyterLab's own subshell, once it has one: it goes away with the comm.
    const subshellId = own(this.comm) ?? this.subshell;
    return KernelMessage.createMessage({ ...options, subshellId } as KernelMessage.IOptions<KernelMessage.ICommMsgMsg<'shell'>>);
  }
}

/** The subshell that JupyterLab has given a comm: not in the interface, but in its class since there are subshells. */
function own(comm: Kernel.IComm): string | null {
  return (comm as Kernel.IComm & { subshellId?: string | null }).subshellId ?? null;
}

/** Return a subshell for a comm's messages, or null if they have to go to the main shell. */
async function subshellFor(kernel: Kernel.IKernelConnection, comm: Kernel.IComm): Promise<string | null> {
  if (String(comm.commsOverSubshells) === 'disabled') {
    return null;
  }
  await connected(kernel);
  const info = kernel.info.then(() => 'known' as const);
  if ((await within(silent.has(kernel) ? 20 : PATIENCE, info)) === null) {
    silent.add(kernel);
    const given = await within(CONTROL_PATIENCE, requestedSubshell(kernel));
    if (given !== null) {
      return given;
    }
    await info;
  }
  if (!kernel.supportsSubshells) {
    return null;
  }
  await (comm as Kernel.IComm & { subshellStarted?: Promise<void> }).subshellStarted;
  return own(comm);
}

async function requestedSubshell(kernel: Kernel.IKernelConnection): Promise<string> {
  // The connection's own request refuses as long as the kernel has not said that it has subshells.
  const request = KernelMessage.createMessage<KernelMessage.ICreateSubshellRequestMsg>({
    msgType: 'create_subshell_request',
    channel: 'control',
    session: kernel.clientId,
    username: kernel.username,
    content: {}
  });
  const future = kernel.sendControlMessage(request, true, true);
  const reply = (await future.done) as KernelMessage.ICreateSubshellReplyMsg;
  return reply.content.subshell_id;
}

/** Wait until messages are sent and not queued. */
function connected(kernel: Kernel.IKernelConnection): Promise<void> {
  if (kernel.connectionStatus === 'connected') {
    return Promise.resolve();
  }
  return new Promise(resolve => {
    const onStatus = (_: Kernel.IKernelConnection, status: Kernel.ConnectionStatus): void => {
      if (status === 'connected') {
        kernel.connectionStatusChanged.disconnect(onStatus);
        resolve();
      }
    };
    kernel.connectionStatusChanged.connect(onStatus);
  });
}

/** Return what a promise gives, or null if it gives nothing in time, or fails. */
function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | null> {
  return new Promise(resolve => {
    const timer = setTimeout(() => {
      resolve(null);
    }, milliseconds);
    promise
      .catch(() => null)
      .then(
        value => {
          clearTimeout(timer);
          resolve(value);
        },
        () => undefined
      );
  });
}
