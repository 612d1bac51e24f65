/** What the two databases call the same thing. */
export interface ColumnTypes {
  readonly dialect: "sqlite" | "postgres";
  readonly integer: string;
  readonly text: string;
  /** A key that counts up by itself. */
  readonly serial: string;
  /** Behind a table: its rows lie in the order of its key. */
  readonly clustered: string;
  /** The function of a text and a part of it: where that begins, counted from 1. */
  readonly positionOf: string;
}

/** While steps are made, the key in `catalog_meta` of the host that opens the catalog. */
export const OPENER_KEY = "opener";

/** The statements of one step. */
export type Migration = (types: ColumnTypes) => readonly string[];
