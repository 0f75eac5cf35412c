/** A kernel in memory, at the other end of a store's transport. */
import type { CommandReply, CommandRequest, FullDocument, WorkbenchMessage } from '../src/protocol';
import { type ConnectionState, Store, type Transport } from '../src/store';
import { ENGLISH } from '../src/translation';

/** A transport whose kernel is the test. */
export class FakeTransport implements Transport {
  state: ConnectionState = 'connected';
  readonly sent: CommandRequest[] = [];
  onMessage: (message: unknown) => void = () => undefined;
  onState: () => void = () => undefined;

  send(request: CommandRequest): void {
    this.sent.push(request);
  }

  dispose(): void {
    this.state = 'disconnected';
  }

  /** Say something as the kernel. */
  say(message: unknown): void {
    this.onMessage(structuredClone(message));
  }

  /** Answer the oldest question for a method. */
  answer(method: string, reply: Omit<CommandReply, 'id'>): void {
    const index = this.sent.findIndex(request => request.method === method);
    const [request] = index < 0 ? [] : this.sent.splice(index, 1);
    if (request === undefined) {
      throw new Error(`nobody asked for ${method}`);
    }
    this.say({ id: request.id, ...reply });
  }

  /** Change the state of the connection. */
  become(state: ConnectionState): void {
    this.state = state;
    this.onState();
  }
}

/** Return a store and its kernel. */
export function connectedStore(timeout?: number): { store: Store; kernel: FakeTransport } {
  const kernel = new FakeTransport();
  return { store: new Store(kernel, ENGLISH, timeout), kernel };
}

/** Return a workbench whose runs are those of the documents, all of its own notebook. */
export function workbench(...runs: FullDocument[]): WorkbenchMessage {
  return {
    type: 'workbench',
    protocol: 1,
    pipelines: [],
    targets: [{ id: 'local', label: 'This machine', kind: 'local' }],
    target: 'local',
    notebook: '/home/ada/note.ipynb',
    runs: runs.map(({ run }) => ({
      id: run.id,
      pipeline: run.pipeline,
      target: run.target.kind,
      state: run.state,
      arguments: run.arguments,
      notebook: '/home/ada/note.ipynb',
      created_at: run.created_at,
      started_at: run.started_at,
      finished_at: run.finished_at,
      message: run.message
    }))
  };
}

/** Let every promise that can settle do so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await Promise.resolve();
  }
}
