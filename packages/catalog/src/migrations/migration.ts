/** What the two databases call the same thing. */
export interface ColumnTypes {
  readonly integer: string;
  readonly text: string;
  /** A key that counts up by itself. */
  readonly serial: string;
  /** Behind a table: its rows lie in the order of its key. */
  readonly clustered: string;
}

/** The statements of one step. */
export type Migration = (types: ColumnTypes) => readonly string[];
