/**
 * Where runs go: this machine, or one of the clusters that the kernel knows.
 */
import { html, setText, uniqueId } from './dom';
import type { TargetChoice } from './protocol';
import type { Translation } from './translation';

/** The picker. */
export class TargetPicker {
  readonly node: HTMLElement;
  private readonly select: HTMLSelectElement;
  private readonly hint = html('p', { class: 'kfp-field-hint' });
  private targets: TargetChoice[] = [];
  private key = '';

  /**
   * @param onPick - Called with the id of the target that the user picked.
   */
  constructor(
    private readonly trans: Translation,
    onPick: (target: string) => void
  ) {
    const id = uniqueId('target');
    this.select = html('select', {
      id,
      onchange: () => {
        this.showHint();
        onPick(this.select.value);
      }
    });
    this.node = html(
      'div',
      { class: 'kfp-field' },
      html('label', { for: id }, html('span', {}, trans.__('Target'))),
      html('div', { class: 'kfp-select' }, this.select),
      this.hint
    );
  }

  /** Show the targets and the one in use. */
  show(targets: TargetChoice[], current: string): void {
    const key = JSON.stringify([targets, current]);
    if (key === this.key) {
      return;
    }
    this.key = key;
    this.targets = targets;
    // A target that was given in a cell need not be in the list.
    const unlisted = targets.every(target => target.id !== current);
    const choices = unlisted && current !== '' ? [...targets, { id: current, label: current, kind: kindOf(current) }] : targets;
    this.targets = choices;
    this.select.replaceChildren(...choices.map(choice => html('option', { value: choice.id }, choice.label)));
    this.select.value = current;
    this.showHint();
  }

  /** Forget what was picked: the next that is shown is the truth. */
  reset(): void {
    this.key = '';
  }

  /** The cluster that a run would go to: the picked one, or the only one there is. */
  get cluster(): TargetChoice | null {
    const clusters = this.targets.filter(target => target.kind !== 'local');
    const picked = clusters.find(target => target.id === this.select.value);
    return picked ?? (clusters.length === 1 ? (clusters[0] ?? null) : null);
  }

  /** True if the target in use is a cluster. */
  get picksCluster(): boolean {
    return this.targets.some(target => target.id === this.select.value && target.kind !== 'local');
  }

  /** Why there is no cluster to run on; empty if there is one. */
  get clusterObstacle(): string {
    if (this.cluster !== null) {
      return '';
    }
    return this.targets.some(target => target.kind !== 'local')
      ? this.trans.__('Pick one of the clusters as the target to run there.')
      : this.trans.__('No cluster is known: add a context to the kubeconfig of the kernel’s machine to run on one.');
  }

  private showHint(): void {
    setText(this.hint, this.clusterObstacle);
  }
}

/** The kind that a target's spelling begins with: `argo:my-context`. */
function kindOf(target: string): string {
  return target.split(':')[0] ?? target;
}
