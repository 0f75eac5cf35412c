/** jsdom has no DragEvent, and Lumino's widgets extend it as soon as they are imported. */
class DragEventOfTests extends MouseEvent {}

Object.defineProperty(globalThis, 'DragEvent', { value: DragEventOfTests, writable: true });
