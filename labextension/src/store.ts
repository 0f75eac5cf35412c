/**
 * What one kernel told this page, and the way to ask it for more.
 *
 * A store stands over a {@link Transport} and knows nothing of how messages travel. It keeps the workbench (pipelines,
 * targets, run summaries) and the document of every run it was told of, folds deltas into them, and numbers commands so
 * that answers find their questions. Deltas are coalesced in the kernel and carry whole tasks, so one may be applied to any
 * version from its base on; only a delta whose base is ahead of what is known leaves a gap, and then the store asks
 * for the run's snapshot until that is as new as the delta: answers and messages come from two threads of the kernel and
 * overtake each other. Documents are never changed in place: a view may keep one and compare.
 *
 * No import of `@jupyterlab/*` may reach this module: the widget bundle and the unit tests use it as it is.
 */
import {
  type CommandFailure,
  type CommandRequest,
  type Commands,
  type DeltaMessage,
  type FullDocument,
  type RunDocument,
  type RunSummary,
  type WorkbenchMessage,
  hasFullRun,
  isCommandReply,
  isKernelMessage,
  isRunDocument
} from './protocol';
import type { Translation } from './translation';

/**
 * How a store stands with its kernel.
 *
 * `disconnected`: there is no kernel, or it restarts. `connecting`: it has been asked. `not-loaded`: it has answered that
 * it does not know kfp_jupyter. `connected`: it has answered, and tells of every change.
 */
export type ConnectionState = 'disconnected' | 'connecting' | 'not-loaded' | 'connected';

/** The way to a kernel and back. A store sets the two callbacks; a transport calls them. */
export interface Transport {
  readonly state: ConnectionState;
  /** Called with every message of the kernel, answers included. */
  onMessage: (message: unknown) => void;
  /** Called after `state` changed. */
  onState: () => void;
  /** Send a command; called only while connected. */
  send(request: CommandRequest): void;
  dispose(): void;
}

/** What changed in a store. */
export type Change =
  | { kind: 'connection' }
  | { kind: 'workbench' }
  /** `tasks` are the paths of the tasks that changed; null if everything may have. */
  | { kind: 'run'; run: string; tasks: ReadonlySet<string> | null }
  /** The kernel has answered a question that had been given up; what failed meanwhile may be tried again. */
  | { kind: 'answering' }
  /** The kernel's part of kfp_jupyter met a fault of its own. */
  | { kind: 'trouble'; failure: CommandFailure };

/** Why a command failed; `message` is the sentence to show. */
export class CommandError extends Error {
  /**
   * @param failure - What, where, and what to do.
   * @param unanswered - The kernel is there, but was too busy to answer in time.
   */
  constructor(
    readonly failure: CommandFailure,
    readonly unanswered = false
  ) {
    super([failure.what, failure.where, failure.remedy].filter(part => part !== '').join(' '));
    this.name = 'CommandError';
  }
}

/** Milliseconds that a command may take before it counts as unanswered. */
export const COMMAND_TIMEOUT = 60_000;

/** What takes longer: `debug` may have to bring artifacts from a cluster. */
const PATIENCE: Partial<Record<keyof Commands, number>> = { debug: 900_000 };

interface Pending {
  resolve: (result: unknown) => void;
  reject: (error: CommandError) => void;
  timer: ReturnType<typeof setTimeout>;
}

/** The client-side state of one kernel. */
export class Store {
  private readonly listeners = new Set<(change: Change) => void>();
  private readonly runs = new Map<string, FullDocument>();
  /** The snapshots that are asked for; with each connection another map. */
  private fetching = new Map<string, Promise<FullDocument>>();
  /** The versions that were told of runs and could not be applied; with each connection another map. */
  private missing = new Map<string, number>();
  private readonly pending = new Map<number, Pending>();
  /** The questions that were given up. */
  private readonly late = new Set<number>();
  private nextCommand = 1;
  private known: WorkbenchMessage | null = null;

  /**
   * @param transport - The way to the kernel; the store disposes of it.
   * @param trans - The language of its errors.
   * @param timeout - Milliseconds that a command may take.
   */
  constructor(
    private readonly transport: Transport,
    private readonly trans: Translation,
    private readonly timeout = COMMAND_TIMEOUT
  ) {
    transport.onMessage = message => {
      this.receive(message);
    };
    transport.onState = () => {
      this.connectionChanged();
    };
  }

  /** How the store stands with its kernel. */
  get connection(): ConnectionState {
    return this.transport.state;
  }

  /** What the kernel knows, or null before it said so. Kept as last seen when the kernel goes away. */
  get workbench(): WorkbenchMessage | null {
    return this.known;
  }

  /** The document of a run, if this page has been told of it. */
  document(run: string): FullDocument | null {
    return this.runs.get(run) ?? null;
  }

  /** The newest run of a pipeline, or null before its first. */
  latest(pipeline: string): RunSummary | null {
    return this.known?.runs.find(run => run.pipeline === pipeline) ?? null;
  }

  /**
   * Call `listener` after every change, until the returned function is called.
   */
  subscribe(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /**
   * Ask the kernel for something.
   *
   * @throws CommandError if the kernel refuses, goes away or does not answer in time.
   */
  request<M extends keyof Commands>(method: M, params: Commands[M]['params']): Promise<Commands[M]['result']> {
    if (this.connection !== 'connected') {
      const what = this.trans.__('The kernel is not connected.');
      const remedy = this.trans.__('Start it and load kfp_jupyter.');
      return Promise.reject(new CommandError({ what, where: '', remedy }));
    }
    const id = this.nextCommand++;
    const patience = Math.max(this.timeout, PATIENCE[method] ?? 0);
    const answer = new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        const what = this.trans.__('The kernel did not answer within %1 seconds.', Math.round(patience / 1000));
        const remedy = this.trans.__('If a cell keeps it busy, wait for it or interrupt it; then try again.');
        this.late.add(id);
        this.settle(id, new CommandError({ what, where: '', remedy }, true));
      }, patience);
      this.pending.set(id, { resolve, reject, timer });
      this.transport.send({ id, method, params });
    });
    // What a method answers is the protocol's promise; who draws a document looks at it first.
    return answer as Promise<Commands[M]['result']>;
  }

  /**
   * The document of a run, asked from the kernel unless it is known already.
   *
   * @throws CommandError if the kernel refuses or is not there.
   */
  async fetch(run: string): Promise<FullDocument> {
    return this.document(run) ?? (await this.refetch(run));
  }

  /**
   * The document of a pipeline's latest run, or of the pipeline alone if it was changed since or never run.
   *
   * @throws CommandError if the kernel does not know the pipeline, or is not there.
   */
  async fetchPipeline(pipeline: string): Promise<RunDocument> {
    const document = await this.request('pipeline', { pipeline });
    if (!isRunDocument(document)) {
      throw this.notADocument(pipeline);
    }
    return hasFullRun(document) ? this.newer(document) : document;
  }

  /** Forget the kernel, and every listener when it has heard of that. */
  dispose(): void {
    this.transport.dispose();
    this.connectionChanged();
    this.listeners.clear();
  }

  private refetch(run: string): Promise<FullDocument> {
    return this.fetching.get(run) ?? this.ask(run);
  }

  private ask(run: string): Promise<FullDocument> {
    const { fetching } = this;
    const request = this.request('snapshot', { run })
      .then(document => {
        if (!isRunDocument(document) || !hasFullRun(document)) {
          throw this.notADocument(run);
        }
        return this.newer(document);
      })
      .finally(() => {
        fetching.delete(run);
      });
    fetching.set(run, request);
    return request;
  }

  /** Ask for a run until what is known is as new as what was told of it. */
  private async catchUp(run: string): Promise<void> {
    const { missing, fetching } = this;
    const behind = (): boolean => missing === this.missing && (this.document(run)?.run.version ?? -1) < (missing.get(run) ?? 0);
    try {
      // Who has asked before may be given what was so before.
      const before = fetching.get(run);
      if (before !== undefined) {
        await before.catch(() => null);
      }
      while (behind()) {
        const told = missing.get(run);
        try {
          await this.ask(run);
        } catch (reason) {
          if (reason instanceof CommandError && reason.unanswered) {
            continue;
          }
          throw reason;
        }
        if (told === missing.get(run)) {
          break;
        }
      }
    } finally {
      missing.delete(run);
    }
  }

  /** Keep an answer, unless a message has overtaken it; return what is newer. */
  private newer(document: FullDocument): FullDocument {
    const known = this.document(document.run.id);
    if (known !== null && known.run.version >= document.run.version) {
      return known;
    }
    this.keep(document);
    return document;
  }

  private notADocument(name: string): CommandError {
    const what = this.trans.__('The kernel’s answer about %1 is no run document.', name);
    const remedy = this.trans.__('Install matching versions of kfp_jupyter in both places.');
    return new CommandError({ what, where: '', remedy });
  }

  private receive(message: unknown): void {
    if (isCommandReply(message)) {
      const { id, error, result } = message;
      this.settle(id, error ? new CommandError(error) : null, result);
      if (this.late.delete(id)) {
        this.emit({ kind: 'answering' });
      }
    } else if (isKernelMessage(message)) {
      switch (message.type) {
        case 'workbench':
          this.known = message;
          this.emit({ kind: 'workbench' });
          break;
        case 'run':
          this.newer(message.document);
          break;
        case 'delta':
          this.apply(message);
          break;
        case 'error':
          this.emit({ kind: 'trouble', failure: message.error });
          break;
      }
    } else {
      console.warn('kfp_jupyter: a message of the kernel was not understood', message);
    }
  }

  private apply(delta: DeltaMessage): void {
    const known = this.runs.get(delta.run);
    if (known === undefined || delta.base > known.run.version) {
      const waiting = this.missing.has(delta.run);
      this.missing.set(delta.run, delta.version);
      if (!waiting) {
        // Nobody waits for this promise: a kernel that cannot answer tells of the run again when it is back.
        this.catchUp(delta.run).catch((reason: unknown) => {
          console.warn(`kfp_jupyter: run ${delta.run} could not be read again`, reason);
        });
      }
      return;
    }
    if (delta.version <= known.run.version) {
      return;
    }
    const tasks = { ...known.run.tasks, ...delta.tasks };
    const run = { ...known.run, ...delta.fields, tasks, version: delta.version };
    this.runs.set(delta.run, { ...known, run });
    this.emit({ kind: 'run', run: delta.run, tasks: new Set(Object.keys(delta.tasks)) });
  }

  private keep(document: FullDocument): void {
    this.runs.set(document.run.id, document);
    this.emit({ kind: 'run', run: document.run.id, tasks: null });
  }

  private connectionChanged(): void {
    if (this.connection !== 'connected') {
      this.rejectPending();
      // What is known is shown as last seen, but a new connection starts from snapshots: versions count anew in a new kernel.
      this.fetching = new Map();
      this.missing = new Map();
      this.late.clear();
    } else {
      this.runs.clear();
    }
    this.emit({ kind: 'connection' });
  }

  private rejectPending(): void {
    const what = this.trans.__('The kernel went away before it answered.');
    const remedy = this.trans.__('Try again once it is back.');
    for (const id of [...this.pending.keys()]) {
      this.settle(id, new CommandError({ what, where: '', remedy }));
    }
  }

  private settle(id: number, failure: CommandError | null, result?: unknown): void {
    const pending = this.pending.get(id);
    if (pending === undefined) {
      return;
    }
    this.pending.delete(id);
    clearTimeout(pending.timer);
    if (failure === null) {
      pending.resolve(result);
    } else {
      pending.reject(failure);
    }
  }

  private emit(change: Change): void {
    for (const listener of [...this.listeners]) {
      listener(change);
    }
  }
}
