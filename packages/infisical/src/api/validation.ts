/**
 * What a server's validation says of a request: which fields, and how each is wrong. A validation issue may quote what
 * was sent, so only words that are known are repeated.
 */
import * as Predicate from "effect/Predicate"

/** The names of the fields of our requests. */
const fields: ReadonlySet<string> = new Set([
  "accessToken",
  "approval",
  "body",
  "clientId",
  "clientSecret",
  "destinationEnvironment",
  "destinationSecretPath",
  "environment",
  "expandSecretReferences",
  "folderId",
  "forceDelete",
  "id",
  "identityId",
  "import",
  "importId",
  "includeImports",
  "includePersonalOverrides",
  "include_imports",
  "isReplication",
  "jwt",
  "key",
  "metadata",
  "metadataFilter",
  "mode",
  "name",
  "newSecretName",
  "organizationSlug",
  "password",
  "path",
  "position",
  "projectId",
  "projectSlug",
  "recursive",
  "secretComment",
  "secretCommentCiphertext",
  "secretCommentIV",
  "secretCommentTag",
  "secretId",
  "secretIds",
  "secretKey",
  "secretKeyCiphertext",
  "secretKeyIV",
  "secretKeyTag",
  "secretMetadata",
  "secretName",
  "secretPath",
  "secretReminderNote",
  "secretReminderRepeatDays",
  "secretValue",
  "secretValueCiphertext",
  "secretValueIV",
  "secretValueTag",
  "secrets",
  "shouldOverwrite",
  "skipMultilineEncoding",
  "sourceEnvironment",
  "sourceSecretPath",
  "tagIds",
  "tagSlugs",
  "tags",
  "token",
  "type",
  "username",
  "value",
  "version",
  "viewSecretValue",
  "workspaceId",
  "workspaceSlug"
])

/** The codes of issues of Zod 3 and 4, which Infisical's servers validate with: https://zod.dev/error-customization */
const codes: ReadonlySet<string> = new Set([
  "custom",
  "invalid_arguments",
  "invalid_date",
  "invalid_element",
  "invalid_enum_value",
  "invalid_format",
  "invalid_intersection_types",
  "invalid_key",
  "invalid_literal",
  "invalid_return_type",
  "invalid_string",
  "invalid_type",
  "invalid_union",
  "invalid_union_discriminator",
  "invalid_value",
  "not_finite",
  "not_multiple_of",
  "too_big",
  "too_small",
  "unrecognized_keys"
])

/** How many issues are described, and how deep into the request. */
const maxIssues = 5
const maxPathLength = 8

/** The field of the first issue, and a description of the first five. */
export const validationProblem = (
  { details, fieldErrors, message }: Readonly<Record<string, unknown>>
): [parameter: string, problem: string] => {
  const all = [message, details, fieldErrors].find((issues) => Array.isArray(issues)) ?? []
  const described = all.slice(0, maxIssues).filter(Predicate.isRecord).map((issue) => ({
    path: pathOf(issue["field"] ?? issue["path"]),
    code: typeof issue["code"] === "string" && codes.has(issue["code"]) ? issue["code"] : "invalid"
  }))
  const problem = described.map((issue) => `${issue.path || "the body"} is ${issue.code}`).join(", ")
  const rest = all.length > maxIssues ? ` and ${all.length - maxIssues} more` : ""
  return [
    described[0]?.path || "request",
    `the server's validation refuses it${problem === "" ? "" : `: ${problem}${rest}`}`
  ]
}

/** A path as Zod gives it, or as one text: `secrets[0].tagIds`. */
const pathOf = (path: unknown): string =>
  (Array.isArray(path) ? path : typeof path === "string" ? path.slice(0, 128).split(/[.[\]]/) : [])
    .slice(0, maxPathLength)
    .filter((key) => typeof key === "string" ? fields.has(key) || /^\d{1,4}$/.test(key) : Number.isSafeInteger(key))
    .join(".")
