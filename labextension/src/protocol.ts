/**
 * What travels between the kernel and the front end: the run document and the messages of the two comms.
 *
 * The run document is `kfp_jupyter/model/run.schema.json` in types; the tests hold both against the same fixtures.
 * The messages are those of the "Comms" page of `docs/architecture.md`. Nothing here has behaviour but the light
 * guards at the end, which keep a front end from trusting the shape of what a file or a kernel hands it.
 */

/** The MIME type whose content is a {@link RunDocument}. */
export const RUN_MIME_TYPE = 'application/vnd.kfp-jupyter.run.v1+json';

/** The value of {@link RunDocument.schema}. */
export const RUN_SCHEMA = 'kfp-jupyter/run.v1';

/** The comm target on which the kernel tells of its pipelines and runs. */
export const RUNS_TARGET = 'kfp_jupyter.runs';

/** The comm target on which the front end asks and orders. */
export const COMMANDS_TARGET = 'kfp_jupyter.commands';

/** The comm target that the kernel opens, once and for a moment, to say "connect now". */
export const HELLO_TARGET = 'kfp_jupyter.hello';

/** A JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A JSON object. */
export type JsonObject = Record<string, Json>;

/** The state of a run or of one of its tasks, by KFP's v2 names. */
export type State =
  | 'PENDING'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'SKIPPED'
  | 'FAILED'
  | 'CANCELING'
  | 'CANCELED'
  | 'PAUSED';

/** Seconds since the epoch, or null where it has not happened. */
export type Time = number | null;

/** One input of a pipeline, as the parameter form shows it. */
export interface PipelineInput {
  name: string;
  /** The Python name of its type: `str`, `int`, `float`, `bool`, `list`, `dict`, or an artifact class. */
  type: string;
  /** True if a run may be started without a value for it. */
  optional: boolean;
  /** The value used when none is given; null where there is none. */
  default: Json;
  description: string;
}

/** A pipeline as screens know it. */
export interface Pipeline {
  name: string;
  display_name: string;
  description: string;
  inputs: PipelineInput[];
}

/** A drawn task. Lengths are CSS pixels, the origin is at the top left. */
export interface GraphNode {
  /** The task's path, without the iterations of loops. */
  id: string;
  label: string;
  /** What the task runs: the name of its component, or more on a group. */
  component: string;
  /** The kind of group whose frame it is; empty for a task's card, missing in documents of older versions. */
  group?: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A drawn dependency. */
export interface GraphEdge {
  source: string;
  target: string;
  /** The values that flow, comma separated; empty for a bare order. */
  label: string;
  /** The SVG path data of the line. */
  path: string;
}

/** The picture of a pipeline, laid out by Python. */
export interface Graph {
  width: number;
  height: number;
  nodes: GraphNode[];
  edges: GraphEdge[];
}

/** Why a task failed. */
export interface TaskError {
  /** The exception's class name, or a short reason such as `Timeout`. */
  type: string;
  message: string;
  /** Where in the user's terms: `Cell In[3]` or a path; empty if unknown. */
  file: string;
  /** The line in `file`, from 1; 0 if unknown. */
  line: number;
  traceback: string;
}

/** One artifact that a task wrote. */
export interface Artifact {
  /** The schema title, such as `system.Model`. */
  type: string;
  uri: string;
  /** Its path on the kernel's machine, or empty. */
  path: string;
  /** For metrics, the metrics themselves. */
  metadata: JsonObject;
}

/** One point of a step curve: `[step, value]`. */
export type CurvePoint = [step: number, value: number];

/** What the processes of one attempt used, up to now or in all. */
export interface Usage {
  /** Their processor time. */
  cpu_seconds: number;
  /** The most memory that they had at once. */
  memory_bytes: number;
  /** How many processors were declared as the limit; 0 if none. */
  cpu_limit: number;
  /** How many bytes were declared as the limit; 0 if none. */
  memory_limit: number;
}

/** What is known of one task in one run. */
export interface TaskRun {
  state: State;
  /** The attempt under way or last made, from 1; 0 before the first. */
  attempt: number;
  started_at: Time;
  finished_at: Time;
  /** The id of the run whose result was used; empty if the task ran itself. */
  cached_from: string;
  /** A short word for the state, such as `UpstreamFailed`. */
  reason: string;
  /** A sentence that explains it. */
  message: string;
  error: TaskError | null;
  inputs: JsonObject;
  outputs: JsonObject;
  /** Output artifacts by output name; more than one for a list output. */
  artifacts: Record<string, Artifact[]>;
  /** Step curves logged so far, by metric name. */
  curves: Record<string, CurvePoint[]>;
  /** The last lines it printed, kept when it finished. */
  log_tail: string[];
  /** What its (last) attempt used; null where nothing is known, missing in documents of older versions. */
  usage?: Usage | null;
}

/** Where a run runs. */
export interface Target {
  /** The engine: `local`, `argo` or `kfp`. */
  kind: string;
  /** The kubeconfig context or the server; empty for the engine's default. */
  name: string;
  namespace: string;
}

/** The state of one run. */
export interface Run {
  id: string;
  pipeline: string;
  target: Target;
  arguments: JsonObject;
  state: State;
  created_at: Time;
  started_at: Time;
  finished_at: Time;
  reason: string;
  message: string;
  /** What was asked for and is not done where it runs, a sentence each. */
  notices: string[];
  /** Tasks by path. */
  tasks: Record<string, TaskRun>;
  /** Grows with every event. */
  version: number;
}

/** A run that had not ended when the document was written: its state is asked from the kernel. */
export interface OpenRun {
  id: string;
}

/** What a screen shows: a pipeline, its graph and, once it ran, the state of one run. */
export interface RunDocument {
  schema: typeof RUN_SCHEMA;
  pipeline: Pipeline;
  graph: Graph;
  run: Run | OpenRun | null;
}

/** A run document whose run is written out. */
export interface FullDocument extends RunDocument {
  run: Run;
}

/** A place where runs can run, as the target picker shows it. */
export interface TargetChoice {
  /** Its spelling, as `--target` takes it: `local`, `argo:my-context`. */
  id: string;
  label: string;
  kind: string;
}

/** A run in a list of runs. */
export interface RunSummary {
  id: string;
  pipeline: string;
  /** The spelling of its target. */
  target: string;
  state: State;
  created_at: Time;
  started_at: Time;
  finished_at: Time;
  message: string;
  /** Its arguments; a long value is `…`. */
  arguments: JsonObject;
  /** The path of the notebook that it was started from; empty if it is not known. */
  notebook: string;
}

/** What the kernel knows: sent when the comm opens and whenever any of it changed. */
export interface WorkbenchMessage {
  type: 'workbench';
  protocol: number;
  pipelines: Pipeline[];
  targets: TargetChoice[];
  /** The id of the target that runs go to unless told otherwise. */
  target: string;
  /** The path of the kernel's notebook; empty if it does not know it. */
  notebook: string;
  /** Newest first. */
  runs: RunSummary[];
}

/** A run was started, or found again. */
export interface RunMessage {
  type: 'run';
  document: FullDocument;
}

/** A run changed: the changed fields of the run, and its changed tasks, whole. */
export interface DeltaMessage {
  type: 'delta';
  run: string;
  /** The version after the change. */
  version: number;
  /** The version that the change starts from. */
  base: number;
  fields: Partial<Omit<Run, 'tasks' | 'version' | 'id'>>;
  tasks: Record<string, TaskRun>;
}

/** Something went wrong in the kernel's part of kfp_jupyter. */
export interface TroubleMessage {
  type: 'error';
  error: CommandFailure;
}

/** What the kernel says unasked. */
export type KernelMessage = WorkbenchMessage | RunMessage | DeltaMessage | TroubleMessage;

/** What the front end sends. */
export interface CommandRequest {
  id: number;
  method: keyof Commands;
  params: JsonObject;
}

/** Why a command failed, for the user's eyes. */
export interface CommandFailure {
  what: string;
  where: string;
  remedy: string;
}

/** What the kernel answers to a {@link CommandRequest}. */
export interface CommandReply {
  id: number;
  result?: unknown;
  error?: CommandFailure;
}

/** A stretch of a task's log. */
export interface LogLines {
  lines: string[];
  /** The cursor to go on from. */
  next: number | string;
  /** True if no more lines will come. */
  done: boolean;
}

/** The commands, with what they take and what they answer. */
export interface Commands {
  /** The current document of a run. */
  snapshot: { params: { run: string }; result: FullDocument };
  /** The document of a pipeline's latest run, or with `run: null` before the first. */
  pipeline: { params: { pipeline: string }; result: RunDocument };
  /** Start a run. */
  run: { params: { pipeline: string; target: string; arguments: JsonObject }; result: { run: string } };
  /** End a run before its time. */
  cancel: { params: { run: string }; result: JsonObject };
  /** Choose the target that runs go to. */
  use: { params: { target: string }; result: JsonObject };
  /** The log lines of a task from a cursor on; the first cursor is 0. */
  logs: { params: { run: string; task: string; after: number | string }; result: LogLines };
  /** The MIME bundle of a run, to be kept in the saved notebook. */
  bundle: { params: { run: string }; result: JsonObject };
  /** A task that ran, as code for a new cell. */
  debug: { params: { run: string; task: string }; result: { text: string } };
  /** Start a run that takes over from another what no change has touched; `told` are sentences on that. */
  rerun: { params: { run: string }; result: { run: string; told: string[] } };
}

const FINISHED: ReadonlySet<string> = new Set<State>(['SUCCEEDED', 'SKIPPED', 'FAILED', 'CANCELED']);

/** Say whether nothing more happens in this state. */
export function isFinished(state: State): boolean {
  return FINISHED.has(state);
}

/** Say whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Say whether a value has the outline of a run document.
 *
 * Light on purpose: it looks as deep as a view goes before it would stumble, and leaves the rest to the schema,
 * which Python's tests hold the writer to.
 */
export function isRunDocument(value: unknown): value is RunDocument {
  if (!isObject(value) || value.schema !== RUN_SCHEMA) {
    return false;
  }
  const { pipeline, graph, run } = value;
  return (
    isObject(pipeline) &&
    typeof pipeline.name === 'string' &&
    Array.isArray(pipeline.inputs) &&
    isObject(graph) &&
    Array.isArray(graph.nodes) &&
    Array.isArray(graph.edges) &&
    (run === null || (isObject(run) && typeof run.id === 'string'))
  );
}

/** Say whether a document's run is written out, and not only named. */
export function hasFullRun(document: RunDocument): document is FullDocument {
  return document.run !== null && 'tasks' in document.run && isObject(document.run.tasks);
}

/** Say whether a value is a message of the `kfp_jupyter.runs` comm. */
export function isKernelMessage(value: unknown): value is KernelMessage {
  if (!isObject(value)) {
    return false;
  }
  switch (value.type) {
    case 'workbench':
      return Array.isArray(value.pipelines) && Array.isArray(value.targets) && Array.isArray(value.runs);
    case 'run':
      return isRunDocument(value.document) && hasFullRun(value.document);
    case 'delta':
      return typeof value.run === 'string' && typeof value.version === 'number' && isObject(value.tasks);
    case 'error':
      return isObject(value.error);
    default:
      return false;
  }
}

/** Say whether a value answers a command. */
export function isCommandReply(value: unknown): value is CommandReply {
  return isObject(value) && typeof value.id === 'number' && ('result' in value || isObject(value.error));
}
