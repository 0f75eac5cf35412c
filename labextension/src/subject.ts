/**
 * Which run a view shows, and whether what it shows is live.
 *
 * A view starts from a saved document. With a kernel it follows the newest run of the document's pipeline (so that the
 * output of a pipeline's cell shows every run that is started from anywhere), or one run alone. A newest run is shown only if it
 * has all the tasks of the saved graph: after a pipeline's cell was edited, its old runs are not pictures of it. Without
 * a kernel the view shows what was last seen, and says so.
 */
import { type RunDocument, hasFullRun, isFinished } from './protocol';
import { CommandError, type Change, type Store } from './store';

/** What a subject follows: every new run of its pipeline, or the one run of its document. */
export type Following = 'pipeline' | 'run';

/** A run as a view follows it. */
export class Subject {
  private shown: RunDocument;
  private isLive = false;
  private store: Store | null = null;
  private unsubscribe: (() => void) | null = null;
  private error: CommandError | null = null;
  private resolving = 0;

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
    const { run } = this.shown;
    return run !== null && (!hasFullRun(this.shown) || !isFinished(this.shown.run.state));
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
      this.unsubscribe = store?.subscribe(change => { this.storeChanged(change); }) ?? null;
      this.resolve();
    }
  }

  /** Follow nothing any more. */
  dispose(): void {
    this.unsubscribe?.();
    this.unsubscribe = null;
    this.resolving++;
  }

  private storeChanged(change: Change): void {
    if (change.kind === 'run' && this.isLive && change.run === this.shown.run?.id) {
      this.shown = this.store?.document(change.run) ?? this.shown;
      this.onChange(change.tasks);
    } else if (change.kind === 'connection' || change.kind === 'workbench' || (change.kind === 'run' && !this.isLive)) {
      this.resolve();
    }
  }

  private resolve(): void {
    const turn = ++this.resolving;
    const { connected } = this;
    if (connected === null) {
      this.isLive = false;
      this.onChange(null);
      return;
    }
    this.error = null;
    this.settle(connected, this.candidates(connected), turn).catch((reason: unknown) => {
      if (turn === this.resolving) {
        this.error = reason instanceof CommandError ? reason : null;
        this.isLive = false;
        this.onChange(null);
      }
    });
  }

  /** The runs to try, the best first. */
  private candidates(store: Store): string[] {
    const newest = this.following === 'pipeline' ? store.latest(this.saved.pipeline.name)?.id : undefined;
    const runs = [newest, this.saved.run?.id].filter(run => run !== undefined);
    return [...new Set(runs)];
  }

  private async settle(store: Store, runs: string[], turn: number): Promise<void> {
    for (const run of runs) {
      // Without an await for what is known already, so that a view never flickers through its saved state.
      let document = store.document(run);
      if (document === null) {
        this.onChange(null);
        document = await store.fetch(run);
      }
      if (turn !== this.resolving) {
        return;
      }
      if (run === this.saved.run?.id || this.fits(document)) {
        this.shown = document;
        this.isLive = true;
        this.onChange(null);
        return;
      }
    }
    // No run yet: what is shown is true until the kernel tells of one.
    this.shown = this.saved;
    this.isLive = this.saved.run === null;
    this.onChange(null);
  }

  private fits(document: RunDocument): boolean {
    const tasks = new Set(document.graph.nodes.map(node => node.id));
    return this.saved.graph.nodes.every(node => tasks.has(node.id));
  }
}
