/**
 * Messages without what only the machine's owner should know. Pure.
 *
 * @module
 */

// What stands at the root of machines and of containers; other absolute paths may be routes of an
// HTTP API ("/users/42 is unknown") and stay.
const ROOTS =
  "app|bin|boot|dev|etc|home|lib|lib64|media|mnt|nix|opt|private|proc|root|run|sbin|snap|" +
  "srv|sys|tmp|usr|var|work|workspaces?|Applications|Library|System|Users|Volumes";

/** `file:` addresses, paths from a drive or a share of Windows, and absolute paths under a known root. */
const PATH = new RegExp(
  String
    .raw`(?:file:/+(?:[A-Za-z]:/)?|\b[A-Z]:[\\/]|\\\\(?=\w)|(?<![\w.:/\\~-])/(?=(?:${ROOTS})/))` +
    String.raw`(?:[^\s"'\`<>|:;,()[\]{}\\/]+[\\/]+)*([^\s"'\`<>|:;,()[\]{}\\/]*)`,
  "g",
);

/**
 * A message as callers may see it: absolute paths are cut down to their last part, and a stack that
 * somebody put into the message is left out.
 */
export function hidePaths(message: string): string {
  const stack = message.search(/\n[ \t]+at /);
  return (stack < 0 ? message : message.slice(0, stack)).replace(PATH, "$1");
}
