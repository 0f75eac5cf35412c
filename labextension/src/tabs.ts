/**
 * Tabs, as the ARIA authoring practices describe them: one stop of the Tab key, arrow keys between them.
 */
import { html, uniqueId } from './dom';

/** One tab: its name, its word, and the element it shows. */
export interface Tab {
  name: string;
  label: string;
  panel: HTMLElement;
}

interface Shown {
  tab: Tab;
  button: HTMLButtonElement;
  holder: HTMLElement;
}

/** A row of tabs over the panel of the active one. */
export class Tabs {
  readonly node: HTMLElement;
  private readonly bar: HTMLElement;
  private readonly shown: Shown[];
  private current = '';

  /**
   * @param onActivate - Called after another tab was activated, by the user or not.
   */
  constructor(
    label: string,
    tabs: readonly Tab[],
    private readonly onActivate: (name: string, byUser: boolean) => void
  ) {
    this.bar = html('div', { class: 'kfp-tabs', role: 'tablist', 'aria-label': label });
    this.shown = tabs.map(tab => this.made(tab));
    this.bar.append(...this.shown.map(({ button }) => button));
    this.bar.addEventListener('keydown', event => {
      this.onKey(event);
    });
    this.node = html('div', { class: 'kfp-tabbed' }, this.bar, ...this.shown.map(({ holder }) => holder));
  }

  /** The name of the active tab. */
  get active(): string {
    return this.current;
  }

  /** Show or hide a tab; an active tab that is hidden gives way to the first one. */
  present(name: string, present: boolean): void {
    const tab = this.shown.find(each => each.tab.name === name);
    if (tab === undefined || tab.button.hidden === !present) {
      return;
    }
    tab.button.hidden = !present;
    if (!present && this.current === name) {
      this.activate(this.visible()[0]?.tab.name ?? '', false);
    }
  }

  /** Activate a tab. */
  activate(name: string, byUser: boolean): void {
    this.current = name;
    for (const { tab, button, holder } of this.shown) {
      const active = tab.name === name;
      button.setAttribute('aria-selected', String(active));
      button.tabIndex = active ? 0 : -1;
      holder.hidden = !active;
    }
    this.onActivate(name, byUser);
  }

  private visible(): Shown[] {
    return this.shown.filter(({ button }) => !button.hidden);
  }

  private made(tab: Tab): Shown {
    const id = uniqueId('tab');
    const panel = uniqueId('panel');
    const attributes = { type: 'button', role: 'tab', id, 'aria-controls': panel, class: 'kfp-tab' };
    const onclick = (): void => {
      this.activate(tab.name, true);
    };
    const button = html('button', { ...attributes, onclick }, tab.label);
    const holder = html('div', { role: 'tabpanel', id: panel, 'aria-labelledby': id, hidden: true }, tab.panel);
    return { tab, button, holder };
  }

  private onKey(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const tabs = this.visible();
    if (step === undefined || tabs.length === 0) {
      return;
    }
    const index = tabs.findIndex(({ tab }) => tab.name === this.current);
    const next = tabs[(index + step + tabs.length) % tabs.length];
    if (next !== undefined) {
      this.activate(next.tab.name, true);
      next.button.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
