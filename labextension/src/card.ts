/**
 * One task of the drawn graph: a card with its state's colour and icon, its name, and what it does.
 *
 * A card is made once and then only changed where its task changed, so that a focus, an animation and a screen reader's
 * place survive every update.
 */
import { setAttribute, setText, svg } from './dom';
import type { ShownTask } from './iterations';
import { LOOK, type LookName, fitted, stateColour, stateIcon } from './look';
import type { GraphNode } from './protocol';
import { cardDetail, spokenTask, taskLook } from './stateText';
import type { Translation } from './translation';

const { card: CARD, font: FONT } = LOOK;

/** States whose card steps back: its second line is grey. */
const MUTED: ReadonlySet<LookName> = new Set<LookName>(['NONE', 'PENDING', 'SKIPPED']);

/** Say whether a node is the frame of a group, in which other nodes stand. */
export function isFrame(node: GraphNode): boolean {
  return (node.group ?? '') !== '';
}

/** The card of a task, or the frame of a group. */
export class Card {
  /** The list item of the graph's list. */
  readonly element: SVGGElement;
  private readonly stripe: SVGPathElement | null;
  private readonly label: SVGTextElement;
  private readonly detail: SVGTextElement;
  private icon: SVGGElement | null = null;
  private look: LookName | null = null;
  private task: ShownTask | null = null;

  constructor(
    readonly node: GraphNode,
    private readonly trans: Translation,
    private readonly clock: () => number
  ) {
    const frame = isFrame(node);
    this.stripe = frame ? null : svg('path', { d: CARD.stripe_path });
    this.label = svg('text', { class: 'kfp-card-label', x: CARD.text_x, 'font-size': FONT.label.size });
    this.label.textContent = this.fit(node.label, FONT.label.size);
    this.detail = svg('text', { class: 'kfp-card-detail', x: CARD.text_x, y: CARD.detail_y, 'font-size': FONT.detail.size });
    const { width, height } = node;
    this.element = svg(
      'g',
      { class: frame ? 'kfp-card kfp-mod-frame' : 'kfp-card', role: 'listitem', tabindex: -1, transform: `translate(${node.x} ${node.y})` },
      svg('title', {}, node.component === node.label ? node.label : `${node.label} (${node.component})`),
      svg('rect', { class: 'kfp-card-focus', x: -3, y: -3, width: width + 6, height: height + 6, rx: CARD.radius + 3 }),
      svg('rect', {
        class: 'kfp-card-surface',
        width,
        height,
        rx: CARD.radius,
        'stroke-dasharray': frame ? CARD.frame_dash : null
      }),
      this.stripe,
      this.label,
      this.detail
    );
    this.element.dataset.task = node.id;
    this.update(null);
  }

  /** Show the task as it is now; null if there is no run. */
  update(task: ShownTask | null): void {
    this.task = task;
    const look = taskLook(task);
    if (look !== this.look) {
      this.look = look;
      this.element.dataset.state = look;
      if (this.stripe !== null) {
        this.stripe.style.fill = stateColour(look);
      }
      this.detail.style.setProperty('--kfp-detail-colour', MUTED.has(look) ? null : stateColour(look));
      const icon = stateIcon(look);
      const scale = CARD.icon_size / 16;
      const place = svg('g', { transform: `translate(${CARD.icon_x} ${CARD.icon_y}) scale(${scale})` }, icon);
      if (this.icon === null) {
        this.element.append(place);
      } else {
        this.icon.replaceWith(place);
      }
      this.icon = place;
    }
    this.tick();
  }

  /** Show the present duration. */
  tick(): void {
    const present = this.clock();
    const component = this.node.component === this.node.label ? '' : this.node.component;
    const detail = cardDetail(this.task, component, this.trans, present);
    setText(this.detail, this.fit(this.shortened(detail), FONT.detail.size));
    setAttribute(this.label, 'y', String(detail === '' ? CARD.label_alone_y : CARD.label_y));
    setAttribute(this.element, 'aria-label', spokenTask(this.node.label, this.task, this.trans, present));
  }

  /** Say whether the task still runs, so that its duration grows. */
  get running(): boolean {
    return this.look === 'RUNNING' || this.look === 'CANCELING';
  }

  /** Mark the card as the one whose details are shown. */
  set selected(selected: boolean) {
    this.element.classList.toggle('kfp-mod-selected', selected);
    setAttribute(this.element, 'aria-current', selected ? 'true' : null);
  }

  /** Make the card the one that the Tab key reaches. */
  set reachable(reachable: boolean) {
    this.element.setAttribute('tabindex', reachable ? '0' : '-1');
  }

  /** The words of a line from the first on that still fits: `attempt 2 · 1 min 05 s` ends as `1 min 05 s`. */
  private shortened(detail: string): string {
    const parts = detail.split(' · ');
    while (parts.length > 1 && this.fit(parts.join(' · '), FONT.detail.size) !== parts.join(' · ')) {
      parts.shift();
    }
    return parts.join(' · ');
  }

  private fit(text: string, size: number): string {
    return fitted(text, size, this.node.width - CARD.text_x - CARD.padding_right / 2);
  }
}
