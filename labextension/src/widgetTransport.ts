/**
 * The way from an anywidget view to its kernel: the widget's own messages.
 *
 * Everything that travels on the two comms of JupyterLab travels here as custom messages of one widget model. A widget
 * is only drawn where its kernel has (or had) it, and nothing tells whether that kernel is still there; so the
 * transport counts as connected from the start, and a question that is not answered runs into the store's timeout.
 */
import type { CommandRequest } from './protocol';
import type { ConnectionState, Transport } from './store';

/** The part of an anywidget model that is used. */
export interface WidgetModel {
  get(name: string): unknown;
  on(event: string, callback: (content: unknown) => void): void;
  off(event: string, callback: (content: unknown) => void): void;
  send(content: unknown): void;
}

/** The event of a message that the kernel sent to the widget. */
const MESSAGE = 'msg:custom';

/** The transport of a widget. */
export class WidgetTransport implements Transport {
  onMessage: (message: unknown) => void = () => undefined;
  onState: () => void = () => undefined;
  private current: ConnectionState = 'connected';
  private readonly receive = (content: unknown): void => {
    this.onMessage(content);
  };

  constructor(private readonly model: WidgetModel) {
    model.on(MESSAGE, this.receive);
  }

  get state(): ConnectionState {
    return this.current;
  }

  send(request: CommandRequest): void {
    this.model.send(request);
  }

  dispose(): void {
    this.model.off(MESSAGE, this.receive);
    this.current = 'disconnected';
  }
}
