/** What the tests share with Python's. */
declare module '*/tests/fixtures/run_documents.json' {
  const documents: unknown;
  export default documents;
}

declare module '*/kfp_jupyter/model/run.schema.json' {
  const schema: object;
  export default schema;
}

/** Vite's way to read several files at once. */
interface ImportMeta {
  glob(pattern: string, options: { query: '?raw'; import: 'default'; eager: true }): Record<string, string>;
}
