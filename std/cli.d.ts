declare module "@std/cli/parse-args" {
  /**
   * What `parseArgs` takes.
   *
   * @typeParam B Names of boolean options.
   * @typeParam S Names of string options.
   * @typeParam C Names, among these, of options that may be given several times.
   * @typeParam D Defaults.
   */
  export interface ParseOptions<
    B extends string = string,
    S extends string = string,
    C extends string = string,
    D extends object = Record<string, unknown>,
    DD extends boolean | undefined = boolean | undefined,
  > {
    /** Put what follows `--` into `["--"]` rather than into `_`. */
    "--"?: DD;
    alias?: Readonly<Record<string, string | readonly string[]>>;
    boolean?: boolean | B | readonly B[];
    string?: S | readonly S[];
    collect?: C | readonly C[];
    default?: D;
    /** Names that `--no-<name>` sets to `false`. */
    negatable?: string | readonly string[];
    /** Put everything after the first positional argument into `_`. */
    stopEarly?: boolean;
    /** Called for every option that is not declared; `false` drops it. */
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }

  /** The value of one declared option. */
  type Parsed<Name extends string, Value, C extends string, D> = Name extends C ? Value[]
    : Name extends keyof D ? Value | D[Name]
    : Value extends boolean ? boolean
    : Value | undefined;

  /** What `parseArgs` returns; options that were not declared are `unknown`. */
  export type Args<
    B extends string = never,
    S extends string = never,
    C extends string = never,
    D extends object = Record<never, never>,
    DD extends boolean | undefined = undefined,
  > =
    & { [Name in B]: Parsed<Name, boolean, C, D> }
    & { [Name in S]: Parsed<Name, string, C, D> }
    & { [Name in Exclude<keyof D, B | S>]: D[Name] }
    & { _: (string | number)[] }
    & (true extends DD ? { "--": string[] } : unknown)
    & Record<string, unknown>;

  export function parseArgs<
    const B extends string = never,
    const S extends string = never,
    const C extends string = never,
    D extends object = Record<never, never>,
    const DD extends boolean | undefined = undefined,
  >(args: readonly string[], options?: ParseOptions<B, S, C, D, DD>): Args<B, S, C, D, DD>;
}
