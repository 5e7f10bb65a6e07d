/** What is used of the packages `rollup` and `rollup-plugin-dts`. */

export interface Chunk {
  readonly fileName: string;
  readonly code: string;
}

export interface RollupOptions {
  readonly input: Readonly<Record<string, string>>;
  readonly external: (id: string) => boolean;
  readonly onwarn: (warning: { readonly message: string }) => void;
  readonly plugins: readonly unknown[];
}

export interface OutputOptions {
  readonly format: "es";
  readonly entryFileNames: string;
  readonly chunkFileNames: string;
  readonly minifyInternalExports: boolean;
}

export function rollup(options: RollupOptions): Promise<{
  generate(options: OutputOptions): Promise<{ readonly output: readonly Chunk[] }>;
  close(): Promise<void>;
}>;

export function dts(options: {
  readonly tsconfig: false;
  readonly compilerOptions: Readonly<Record<string, unknown>>;
}): unknown;

/** The version of TypeScript. */
export const version: string;
