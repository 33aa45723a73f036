/** What tells the servers of one era from those of another, as data: everything but the words of answers. */
import type { Engine, Era } from "../world/schemas.js"
import { type Columns, columns } from "./columns.js"
import type { Answer, Said } from "./response.js"

/** The rows of the table, by what they are about. Their columns are the eras: see `columns`. */
const rows = {
  /** The engine that keeps the secrets of a project, unless it is end-to-end encrypted or the world says otherwise. */
  engine: columns<Engine>("v1", "v2"),
  /** Whether a refusal carries the id of its request. */
  namesRequests: columns(false, false, true),
  /** Whether a login with a bad authorization header is refused for the header. */
  readsTokenOfLogins: columns(false, true),
  /** Whether refused logins lock an identity. */
  locksIdentities: columns(false, false, true),
  /** Whether the end that is written in a token is read before the token is looked for. */
  readsEndOfTokens: columns(false, true),
  /** Whether the use of a service token is written down at once, so that no two answers about it are the same. */
  notesUseAtOnce: columns(true, false),
  /** Whether a renewal answers with another JWT. */
  renewsJwt: columns(false, false, true),
  /** Whether the token of a refused renewal is deleted. */
  deletesRefusedToken: columns(true, true, true, false),
  /** Whether a token carries its own life: `exp` is the end of its TTL, and its claims say the maximum. */
  hasSelfContainedTokens: columns(false, false, false, true),
  /** The most seconds that a token lives, whatever its identity says; 0 is without end. */
  longestToken: columns(0, 0, 0, 7_776_000),
  /** Whether a user can rename a secret that an approval policy covers. */
  reviewsRenames: columns(true, false, true),
  /** Whether approval policies wait for anything but shared secrets. */
  reviewsPersonalSecrets: columns(true, false),
  /** What a list of a folder or environment that does not exist is. */
  unknownFolderList: columns<"empty" | "refused">("empty", "empty", "refused"),
  /** Whether `recursive` finds `/foobar` under `/foo`. */
  recursiveMatchesPrefix: columns(true, true, true, false),
  /** Whether a list is filtered by the slugs of tags. */
  filtersByTags: columns(false, true),
  /** Whether secrets have metadata, which lists are filtered by. */
  hasMetadata: columns(false, false, true),
  /** Whether values can be hidden: masked where the request does not want them, and refused to who may not see them. */
  hidesValues: columns(false, false, true),
  /** Whether a single get answers an earlier version. */
  readsVersions: columns(true, false, true),
  /** Whether the tags of a list that is filtered by tags are only those that it is filtered by. */
  showsFilteredTagsOnly: columns(false, true, false),
  /** Whether empty names within a path do not count. */
  ignoresEmptyNames: columns(true, false),
  /** Whether a single get of a version shows the tags of the secret. */
  showsTagsOfVersions: columns(false, true),
  /** Whether a raw list says of imported secrets which project they are of. */
  namesProjectOfImported: columns(true, false),
  /** Whether a raw list always says what is imported, or only on request. */
  alwaysListsImports: columns(true, false),
  /** Whether a single get expands references to its own folder. */
  expandsOwnFolderInGet: columns(false, true),
  /** Whether a list expands references where no folder of the list has secrets of its own. */
  expandsWithoutOwnSecrets: columns(false, true),
  /** What a single get does with a reference into a folder or environment that does not exist. */
  refusesUnknownReferences: columns(false, true, false),
  /** How far references are followed. */
  references: columns({ depth: 10, cycles: false }, { depth: 11, cycles: true }, { depth: 10, cycles: false }),
  /** Whether a user's list gives a shared secret the value that overrides it, where references are expanded. */
  mixesOverrides: columns(true, false),
  /** What a raw PATCH of one secret ignores. */
  patchIgnores: columns<ReadonlyArray<"newSecretName" | "secretComment" | "reminder" | "skipMultilineEncoding">>(
    ["newSecretName", "secretComment", "reminder", "skipMultilineEncoding"],
    []
  ),
  /** What a raw PATCH of several secrets ignores. */
  batchPatchIgnores: columns<ReadonlyArray<"newSecretName" | "secretComment" | "reminder" | "skipMultilineEncoding">>(
    ["newSecretName"],
    []
  ),
  /** What a raw POST of one secret ignores. */
  postIgnores: columns<ReadonlyArray<"reminder">>(["reminder"], ["reminder"], []),
  /** Whether a raw batch PATCH makes secrets that are not there. */
  upserts: columns(false, false, true),
  /** Whether a rename changes the values that refer to the secret. */
  rewritesReferences: columns(false, false, true),
  /** Whether the name of a new secret may have neither a slash nor a colon. */
  checksNames: columns(false, false, true),
  /** Whether a raw batch names its project by slug alone. */
  batchNeedsSlug: columns(true, false),
  /** Whether a reminder of zero days is stored. */
  storesReminderOfZeroDays: columns(false, true, false),
  /** What creating a folder that exists is. */
  folderExists: columns<"answered" | "refused">("answered", "answered", "refused"),
  /** Whether an import can be read by its id, and a folder too. */
  readsById: columns(false, true),
  /** What a list on v4 does where the query does not say. */
  importsByDefault: columns<"true" | "false">("false", "false", "false", "true"),
  expandsByDefault: columns<"true" | "false">("false", "false", "false", "true"),
  /** The flag for imports on v4. */
  importsFlag: columns<"include_imports" | "includeImports">(
    "include_imports",
    "include_imports",
    "include_imports",
    "includeImports"
  )
}

/** What a server of an era does. */
export type Behaviour = { readonly [Row in keyof typeof rows]: (typeof rows)[Row][Era] }

const table: { readonly [Row in keyof Behaviour]: Columns<Behaviour[Row]> } = rows

/** What a server of an era does about one thing. */
export const does = <Row extends keyof Behaviour>({ era }: { readonly era: Era }, row: Row): Behaviour[Row] =>
  table[row][era]

/** Routes that not every era has, by how their paths begin. All others are in every era. */
const routes: ReadonlyArray<readonly [prefix: string, isThere: Columns<boolean>]> = [
  ["/api/v4/", columns(false, false, true)],
  ["/api/v2/folders", columns(false, false, true)],
  ["/api/v2/secret-imports", columns(false, false, true)],
  ["/api/v1/events/", columns(false, false, true)],
  ["/api/v1/auth/jwt-auth/", columns(false, false, true)],
  ["/api/v1/auth/ldap-auth/", columns(false, false, true)],
  ["/api/v1/auth/oci-auth/", columns(false, false, true)],
  ["/api/v1/auth/alicloud-auth/", columns(false, false, true)],
  ["/api/v1/auth/tls-cert-auth/", columns(false, false, true)],
  ["/api/v1/auth/spiffe-auth/", columns(false, false, false, true)]
]

/** Whether a server of this era has a route. */
export const hasRoute = (era: Era, path: string): boolean =>
  routes.every(([prefix, isThere]) => !path.startsWith(prefix) || isThere[era])

/** The answer in the words of this era. */
export const inWordsOf = (era: Era, { said }: Answer, requestId: string): Said => {
  const { body, status } = said[era]
  return status < 400 || typeof body !== "object" || !table.namesRequests[era]
    ? { status, body }
    : { status, body: { reqId: requestId, ...body } }
}

/** Where a decrypted secret is shown. */
export type Shown = "listed" | "imported" | "got" | "gotImported" | "written"

const identity = [
  "id",
  "_id",
  "workspace",
  "environment",
  "version",
  "type",
  "secretKey",
  "secretValue",
  "secretComment"
]
const reminder = ["secretReminderNote", "secretReminderRepeatDays"]
const times = ["createdAt", "updatedAt"]
const october = [...identity, "skipMultilineEncoding", "metadata"]
const today = [...identity, ...reminder, "skipMultilineEncoding", ...times, "secretValueHidden"]

/** The fields of a decrypted secret on v3 raw, where it is shown. */
export const rawFields: { readonly [S in Shown]: Columns<ReadonlyArray<string>> } = {
  listed: columns(
    [...identity, "secretPath"],
    [...october, ...reminder, ...times, "secretPath", "tags"],
    [...today, "secretPath", "tags", "secretMetadata"]
  ),
  imported: columns(
    identity,
    october,
    [...identity, "skipMultilineEncoding", "secretValueHidden", "secretMetadata"]
  ),
  got: columns(
    [...identity, "tags"],
    [...october, ...reminder, ...times, "tags"],
    [...today, "secretPath", "tags", "secretMetadata"]
  ),
  gotImported: columns(
    identity,
    [...october, ...reminder, ...times],
    [...today, "secretPath", "secretMetadata"]
  ),
  written: columns(identity, [...october, ...reminder, ...times], today)
}

/** The fields of a decrypted secret on v4, where it is shown. */
export const v4Fields: { readonly [S in Shown]: ReadonlyArray<string> } = {
  listed: [...today, "secretPath", "tags", "secretMetadata"],
  imported: [...identity, "skipMultilineEncoding", "secretValueHidden", "secretMetadata"],
  got: [...today, "secretPath", "tags", "secretMetadata"],
  gotImported: [...today, "secretPath", "secretMetadata"],
  written: today
}
