export interface ControlRequest {
  readonly method: string;
  /** Parts of the path, decoded. */
  readonly path: readonly string[];
  readonly query: ReadonlyMap<string, string>;
  /** Parsed JSON; undefined when there was no body. */
  readonly body: unknown;
}

export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}
