/**
 * The smallest topology: one service, made of one function.
 *
 * ```sh
 * mp run examples/hello.ts
 * mp client hello '"Ada"'        # "hello, Ada"
 * mp client hello                # "hello, world"
 * ```
 *
 * @module
 */

import * as mp from "@metaparticle/mp";

// A handler gets the request, which is JSON, and returns the response, or a promise of it.
const hello = mp.service("hello", (name: string = "world") => `hello, ${name}`);

// Without this, only other services of the same script could call it.
hello.expose = true;

// Under `mp run` this marks the end of the script. When the script is only imported, it does nothing.
mp.serve();
