/**
 * Where the users of services come from that a script leaves open. Types only.
 *
 * @module
 */

/** What surrounds an evaluation of a script that is to be deployed. */
export interface AuthSources {
  /** The folder of the topology script, to which files of users are relative. */
  readonly folder: string;
  /** `MP_AUTH_USERS` is looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether files are read at once, so that what is wrong with them is wrong with the script's line. */
  readonly eager: boolean;
}
