/**
 * The graph of a pipeline as SVG: cards and lines where Python put them.
 *
 * Nothing is laid out here. The picture is drawn once for a graph; a change of a run touches only the cards whose tasks
 * changed. To assistive technology it is a list of tasks with one stop for the Tab key, arrow keys along the lines, and a
 * polite sentence whenever states change. A graph wider than its place is made smaller, down to where it can still be read,
 * and then scrolls.
 */
import { Card, isFrame } from './card';
import { html, setText, svg } from './dom';
import { neighbour, readingOrder } from './graphKeys';
import { nodeOf, shownTasks } from './iterations';
import { LOOK, fitted, textWidth } from './look';
import type { Graph, GraphEdge, Run, RunDocument } from './protocol';
import { spokenRun } from './stateText';
import type { Translation } from './translation';

/** The smallest scale at which labels can still be read. */
const SMALLEST_FIT = 0.62;
const SMALLEST = 0.25;
const LARGEST = 2;
const ZOOM_STEP = 1.25;

/** What a graph view is made with. */
export interface GraphViewOptions {
  trans: Translation;
  /** Called when the user selects a task, or with null when nothing is selected any more. */
  onSelect: (task: string | null) => void;
  /** Gives the present in seconds since the epoch, or the time at which the run was last seen. */
  clock: () => number;
}

/** The view of a graph. */
export class GraphView {
  /** The element to put on the page. */
  readonly node: HTMLElement;
  private readonly scroller = html('div', { class: 'kfp-graph-scroll' });
  private readonly summary = html('p', { class: 'kfp-hidden', role: 'status', 'aria-live': 'polite' });
  private readonly cards = new Map<string, Card>();
  private edges: { edge: GraphEdge; element: SVGGElement }[] = [];
  private picture: SVGSVGElement | null = null;
  private graph: Graph | null = null;
  private key = '';
  private selection: string | null = null;
  /** The scale that the user chose; null to fit. */
  private zoom: number | null = null;
  /** True once a newly drawn graph was scrolled to its first task. */
  private placed = false;
  private readonly observer: ResizeObserver | null;

  constructor(private readonly options: GraphViewOptions) {
    this.node = html('div', { class: 'kfp-graph' }, this.scroller, this.zoomButtons(), this.summary);
    this.scroller.addEventListener('click', event => {
      const task = taskAt(event);
      // A click beside the cards takes a selection back; without one it means nothing.
      if (task !== null || this.selection !== null) {
        this.choose(task);
      }
    });
    this.scroller.addEventListener('pointerover', event => {
      this.markEdges(taskAt(event) ?? this.selection);
    });
    this.scroller.addEventListener('pointerleave', () => {
      this.markEdges(this.selection);
    });
    this.scroller.addEventListener('keydown', event => {
      this.onKey(event);
    });
    this.observer =
      typeof ResizeObserver === 'undefined'
        ? null
        : new ResizeObserver(() => {
            this.fit();
          });
    this.observer?.observe(this.scroller);
  }

  /** The selected task. */
  get selected(): string | null {
    return this.selection;
  }

  /**
   * Show a document; the picture is drawn anew only if the graph is another.
   *
   * @param run - The run to show in it, or null.
   */
  show(document: RunDocument, run: Run | null): void {
    const key = JSON.stringify(document.graph);
    if (key !== this.key) {
      this.key = key;
      this.draw(document.graph, document.pipeline.display_name);
    }
    this.update(run, null);
  }

  /**
   * Show the states of a run.
   *
   * @param tasks - The paths that changed; null if any may have.
   */
  update(run: Run | null, tasks: ReadonlySet<string> | null): void {
    const shown = shownTasks(run);
    const changed = tasks === null ? null : new Set([...tasks].map(nodeOf));
    for (const [id, card] of this.cards) {
      if (changed === null || changed.has(id)) {
        card.update(shown.get(id) ?? null);
      }
    }
    for (const { edge, element } of this.edges) {
      element.classList.toggle('kfp-mod-flowing', shown.get(edge.target)?.state === 'RUNNING');
    }
    const named = this.graph?.nodes.flatMap(node => {
      const task = shown.get(node.id);
      return task === undefined || isFrame(node) ? [] : [[node.label, task] as const];
    });
    setText(this.summary, run === null || named === undefined ? '' : spokenRun(named, this.options.trans));
  }

  /** Let the durations of running tasks grow. */
  tick(): void {
    for (const card of this.cards.values()) {
      if (card.running) {
        card.tick();
      }
    }
  }

  /** Mark a task as selected, without telling. */
  select(task: string | null): void {
    this.selection = task !== null && this.cards.has(task) ? task : null;
    for (const [id, card] of this.cards) {
      card.selected = id === this.selection;
    }
    this.markEdges(this.selection);
    if (this.selection !== null) {
      this.reach(this.selection, false);
    }
  }

  /** Stop watching the size of the place. */
  dispose(): void {
    this.observer?.disconnect();
  }

  private draw(graph: Graph, name: string): void {
    this.graph = graph;
    this.cards.clear();
    this.edges = graph.edges.map(edge => ({ edge, element: drawnEdge(edge) }));
    const label = this.options.trans.__('Tasks of %1', name);
    for (const node of readingOrder(graph)) {
      this.cards.set(node.id, new Card(node, this.options.trans, this.options.clock));
    }
    // Lines lie on the frames that they are in, and under the cards.
    const frames = graph.nodes.filter(isFrame).flatMap(node => this.cards.get(node.id)?.element ?? []);
    const lines = svg('g', { 'aria-hidden': 'true' }, ...this.edges.map(({ element }) => element));
    const cards = [...this.cards.values()].filter(card => !isFrame(card.node)).map(card => card.element);
    const list = svg('g', { role: 'list', 'aria-label': label }, ...frames, lines, ...cards);
    this.picture = svg('svg', { class: 'kfp-graph-picture', viewBox: `0 0 ${graph.width} ${graph.height}` }, list);
    this.scroller.replaceChildren(this.picture);
    this.placed = false;
    this.node.classList.toggle('kfp-mod-empty', graph.nodes.length === 0);
    const first = readingOrder(graph)[0];
    if (first !== undefined) {
      this.reach(first.id, false);
    }
    this.select(this.selection);
    this.fit();
  }

  /** Bring out the lines at a task, with the names of the values that flow. */
  private markEdges(task: string | null): void {
    for (const { edge, element } of this.edges) {
      element.classList.toggle('kfp-mod-near', task !== null && (edge.source === task || edge.target === task));
    }
  }

  private choose(task: string | null): void {
    const chosen = task === this.selection ? null : task;
    this.select(chosen);
    this.options.onSelect(this.selection);
  }

  private onKey(event: KeyboardEvent): void {
    const focused = event.target instanceof SVGElement ? event.target.dataset.task : undefined;
    const node = this.graph?.nodes.find(each => each.id === focused);
    if (this.graph === null || node === undefined || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    if (event.key === 'Enter' || event.key === ' ') {
      this.choose(node.id);
    } else if (event.key === 'Escape' && this.selection !== null) {
      this.choose(null);
    } else {
      const next = neighbour(this.graph, node, event.key);
      if (next === null && !event.key.startsWith('Arrow')) {
        return;
      }
      if (next !== null) {
        this.reach(next.id, true);
      }
    }
    // The notebook's own keys (arrows between cells, Enter to edit) are not for a card that has the focus.
    event.preventDefault();
    event.stopPropagation();
  }

  /** Make a card the one stop of the Tab key, and focus it if asked to. */
  private reach(id: string, focus: boolean): void {
    for (const [each, card] of this.cards) {
      card.reachable = each === id;
    }
    if (focus) {
      this.cards.get(id)?.element.focus();
    }
  }

  private zoomButtons(): HTMLElement {
    const { trans } = this.options;
    const button = (label: string, sign: string, zoom: () => number | null): HTMLElement =>
      html('button', { type: 'button', title: label, 'aria-label': label, onclick: () => {
        this.zoom = zoom();
        this.fit();
      } }, sign);
    const scaled = (factor: number) => (): number =>
      Math.min(LARGEST, Math.max(Math.min(SMALLEST, this.whole()), this.scale() * factor));
    return html(
      'div',
      { class: 'kfp-graph-zoom', role: 'group', 'aria-label': trans.__('Zoom') },
      button(trans.__('Zoom out'), '−', scaled(1 / ZOOM_STEP)),
      button(trans.__('Fit'), '⤢', () => null),
      button(trans.__('Zoom in'), '+', scaled(ZOOM_STEP))
    );
  }

  /** The scale at which the whole width is seen. */
  private whole(): number {
    const room = this.scroller.clientWidth;
    return this.graph === null || room === 0 ? 1 : Math.min(1, room / this.graph.width);
  }

  private scale(): number {
    return this.zoom ?? Math.max(SMALLEST_FIT, this.whole());
  }

  private fit(): void {
    if (this.graph === null || this.picture === null) {
      return;
    }
    const scale = this.scale();
    this.picture.setAttribute('width', String(Math.floor(this.graph.width * scale)));
    this.picture.setAttribute('height', String(Math.floor(this.graph.height * scale)));
    const first = readingOrder(this.graph)[0];
    if (!this.placed && first !== undefined && this.scroller.clientWidth > 0) {
      // A wide graph begins where its reader does: at the first task, and not at an empty corner.
      this.placed = true;
      this.scroller.scrollLeft = (first.x + first.width / 2) * scale - this.scroller.clientWidth / 2;
    }
  }
}

/** Return the task whose card an event is on. */
function taskAt(event: Event): string | null {
  const card = event.target instanceof Element ? event.target.closest<SVGElement>('.kfp-card') : null;
  return card?.dataset.task ?? null;
}

function drawnEdge(edge: GraphEdge): SVGGElement {
  const line = { fill: 'none', 'stroke-width': LOOK.edge.width };
  const dash = edge.label === '' ? LOOK.edge.order_dash : null;
  const numbers = (edge.path.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number);
  const [x = 0, y = 0] = numbers.slice(-2);
  return svg(
    'g',
    { class: 'kfp-edge' },
    svg('path', { class: 'kfp-edge-line', d: edge.path, ...line, 'stroke-dasharray': dash }),
    svg('path', { d: LOOK.edge.arrow_path, ...line, transform: `translate(${x} ${y})` }),
    edge.label === '' ? null : edgeName(edge.label, x, y)
  );
}

/** The values that flow, on the line just before its tip, where no other line but those to the same task is. */
function edgeName(label: string, x: number, y: number): SVGGElement {
  const { size } = LOOK.font.edge;
  const name = fitted(label, size, LOOK.font.edge.max_width);
  const width = textWidth(name, size) + 2 * LOOK.edge.chip_padding;
  const { chip_height: height, chip_radius: rx } = LOOK.edge;
  const text = svg('text', { 'text-anchor': 'middle', 'font-size': size, y: size * 0.34 });
  text.textContent = name;
  const chip = svg('rect', { x: -width / 2, y: -height / 2, width, height, rx });
  return svg('g', { class: 'kfp-edge-name', transform: `translate(${x} ${y - 18})` }, chip, text);
}
