/** The look that Python draws with too: one file for both, bundled from where Python reads it. `look.ts` has its type. */
declare module '*/kfp_jupyter/view/look.json' {
  const look: unknown;
  export default look;
}

/** A style sheet as text, which is what the widget's bundler makes of it. */
declare module '*.css' {
  const text: string;
  export default text;
}
