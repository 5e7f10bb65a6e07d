/**
 * The folder of Deno's cache.
 *
 * @module
 */

let found: Promise<string> | undefined;

/** The folder of Deno's cache, where the packages that tests need lie. */
export function denoDir(): Promise<string> {
  return found ??= (async () => {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] })
      .output();
    return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
  })();
}
