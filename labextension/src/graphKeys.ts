/**
 * Where an arrow key leads in a drawn graph.
 */
import type { Graph, GraphNode } from './protocol';

/**
 * Return the node that a key leads to from another, or null if it leads nowhere.
 *
 * Down and up follow the edges to the nearest neighbour; left and right go along the row, and at its end to the next row, so
 * that every node can be reached by one key. Home and End are the first and the last node.
 */
export function neighbour(graph: Graph, from: GraphNode, key: string): GraphNode | null {
  switch (key) {
    case 'ArrowDown':
      return nearest(graph, from, edge => (edge.source === from.id ? edge.target : null));
    case 'ArrowUp':
      return nearest(graph, from, edge => (edge.target === from.id ? edge.source : null));
    case 'ArrowRight':
      return beside(graph, from, 1);
    case 'ArrowLeft':
      return beside(graph, from, -1);
    case 'Home':
      return readingOrder(graph)[0] ?? null;
    case 'End':
      return readingOrder(graph).at(-1) ?? null;
    default:
      return null;
  }
}

/** Return the nodes as they are read: row by row, each from left to right. */
export function readingOrder(graph: Graph): GraphNode[] {
  return [...graph.nodes].sort((a, b) => a.y - b.y || a.x - b.x);
}

function nearest(
  graph: Graph,
  from: GraphNode,
  other: (edge: Graph['edges'][number]) => string | null
): GraphNode | null {
  const ids = new Set(graph.edges.map(other));
  const middle = from.x + from.width / 2;
  const away = (node: GraphNode): number => Math.abs(node.x + node.width / 2 - middle);
  return graph.nodes.filter(node => ids.has(node.id)).sort((a, b) => away(a) - away(b))[0] ?? null;
}

function beside(graph: Graph, from: GraphNode, step: number): GraphNode | null {
  const order = readingOrder(graph);
  return order[order.findIndex(node => node.id === from.id) + step] ?? null;
}
