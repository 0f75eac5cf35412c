/**
 * Which run a view shows, and whether what it shows is live.
 *
 * A view starts from a saved document. With a kernel it follows the newest run of the document's pipeline (so that the
 * output of a pipeline's cell shows every run that is started from anywhere), or one run alone. Without a kernel it shows what
 * was last seen, and says so.
 */
import { type FullDocument, type Run, type RunDocument, hasFullRun, isFinished } from './protocol';
import { CommandError, type Change, type Store } from './store';

/** What a subject follows: every new run of its pipeline, or the one run of its document. */
export type Following = 'pipeline' | 'run';

/**
 * Return the run that belongs under a saved document, or null if the document is the truth as it is.
 *
 * It is the newest run of the pipeline, provided that the pipeline has not been changed since; the kernel knows that as long as it
 * knows the pipeline. After a restart it does not; then a run that it tells of live belongs there if it has all the tasks of
 * the saved graph. Otherwise it is the run that the document itself names, if that had not ended, or went on after its end.
 *
 * @throws CommandError if the kernel cannot say.
 */
export function runFor(
  saved: RunDocument,
  following: Following,
  store: Store
): FullDocument | null | Promise<FullDocument | null> {
  const own = saved.run?.id ?? null;
  const ended = hasFullRun(saved) && isFinished(saved.run.state) && !isPast(saved.run, store);
  const ownRun = (): FullDocument | null | Promise<FullDocument> =>
    own === null || ended ? null : (store.document(own) ?? store.fetch(own));
  const newest = following === 'pipeline' ? store.latest(saved.pipeline.name) : null;
  if (newest === null || newest.id === own) {
    return ownRun();
  }
  return store.fetchPipeline(saved.pipeline.name).then(
    latest => (hasFullRun(latest) ? latest : ownRun()),
    async () => {
      const told = store.document(newest.id) ?? (isFinished(newest.state) ? null : await store.fetch(newest.id));
      return told !== null && fits(saved, told) ? told : ownRun();
    }
  );
}

/** Say whether a run has another end than this one, or none any more. */
function isPast(run: Run, store: Store): boolean {
  const listed = store.workbench?.runs.find(each => each.id === run.id);
  return listed !== undefined && (listed.state !== run.state || listed.finished_at !== run.finished_at);
}

function fits(saved: RunDocument, run: RunDocument): boolean {
  const tasks = new Set(run.graph.nodes.map(node => node.id));
  return saved.graph.nodes.every(node => tasks.has(node.id));
}

/** A run as a view follows it. */
export class Subject {
  private shown: RunDocument;
  private isLive = false;
  private store: Store | null = null;
  private unsubscribe: (() => void) | null = null;
  private error: CommandError | null = null;
  private turn = 0;
  /** What the list of runs said when it was last decided what to show. */
  private decided = '';

  /**
   * @param saved - The document to start from.
   * @param following - What to follow once there is a kernel.
   * @param onChange - Called after a change, with the paths of the tasks that changed; null if anything may have.
   */
  constructor(
    private saved: RunDocument,
    private readonly following: Following,
    private readonly onChange: (tasks: ReadonlySet<string> | null) => void
  ) {
    this.shown = saved;
  }

  /** What to show. */
  get document(): RunDocument {
    return this.shown;
  }

  /** True if a connected kernel tells of every change. */
  get live(): boolean {
    return this.isLive;
  }

  /** The store to send commands to, if a kernel is connected. */
  get connected(): Store | null {
    return this.store?.connection === 'connected' ? this.store : null;
  }

  /** Why the run could not be read, or null. */
  get failure(): CommandError | null {
    return this.error;
  }

  /** True if the shown run has not ended. */
  get unfinished(): boolean {
    return this.shown.run !== null && (!hasFullRun(this.shown) || !isFinished(this.shown.run.state));
  }

  /** Start again from another saved document: the cell was run again, or its output was written anew. */
  replace(saved: RunDocument): void {
    this.saved = saved;
    this.shown = saved;
    this.isLive = false;
    this.resolve();
  }

  /** Follow what a kernel tells; null for none. */
  connect(store: Store | null): void {
    if (store !== this.store) {
      this.unsubscribe?.();
      this.store = store;
      this.unsubscribe =
        store?.subscribe(change => {
          this.storeChanged(change);
        }) ?? null;
      this.resolve();
    }
  }

  /** Follow nothing any more. */
  dispose(): void {
    this.unsubscribe?.();
    this.unsubscribe = null;
    this.turn++;
  }

  private storeChanged(change: Change): void {
    if (change.kind === 'run') {
      if (this.isLive && change.run === this.shown.run?.id) {
        this.shown = this.store?.document(change.run) ?? this.shown;
        this.onChange(change.tasks);
      }
    } else if (
      change.kind === 'connection' ||
      (change.kind === 'workbench' && this.deciding() !== this.decided) ||
      (change.kind === 'answering' && this.error !== null)
    ) {
      this.resolve();
    }
  }

  /** What decides in the list of runs: which is the newest, and whether the saved run has gone on since. */
  private deciding(): string {
    const { saved, store } = this;
    const past = store !== null && hasFullRun(saved) && isFinished(saved.run.state) && isPast(saved.run, store);
    return `${store?.latest(saved.pipeline.name)?.id ?? ''} ${past}`;
  }

  private resolve(): void {
    const turn = ++this.turn;
    const { connected } = this;
    this.decided = this.deciding();
    if (connected === null) {
      this.isLive = false;
      this.onChange(null);
      return;
    }
    // At once for what is known already, so that a view never flickers through its saved state.
    const found = runFor(this.saved, this.following, connected);
    if (!(found instanceof Promise)) {
      this.settle(found, null);
      return;
    }
    this.onChange(null);
    found.then(
      document => {
        if (turn === this.turn) {
          this.settle(document, null);
        }
      },
      (reason: unknown) => {
        if (turn === this.turn) {
          this.settle(null, reason instanceof CommandError ? reason : null);
        }
      }
    );
  }

  private settle(document: FullDocument | null, failure: CommandError | null): void {
    this.error = failure;
    // Of what was told since the answer came, the store knows more than the answer.
    this.shown = document === null ? this.saved : (this.store?.document(document.run.id) ?? document);
    this.isLive = failure === null && (document !== null || this.saved.run === null);
    this.onChange(null);
  }
}
