/**
 * What the refusals of Infisical mean: one row for each case, with the answers of every era of servers.
 *
 * An answer is era, status, `error`, `message`. `…` stands for text that differs, such as a name. The message decides
 * which row applies. If it is one that Infisical gives when it has nothing to say ("Something went wrong", or `…`
 * here), `error` decides. The status decides nothing, since the eras disagree about it. The first row that applies counts.
 *
 * The tests take the answers of this table as data: each must have the meaning of its row. The file is long because it
 * is this table.
 */
import type { AuthenticationError, PermissionError, Resource } from "../model/InfisicalError.js"

export type Era = "2024-07" | "2024-10" | "2025" | "2026"

export type Answer = readonly [eras: Era | `${Era} to ${Era}`, status: number, error: string, message: string]

/** What a request is about. `credential`: a login, or a request about the token itself. */
export type Subject = "credential" | "secret" | "folder" | "import" | "other"

export type Meaning =
  /** `isImported`: the environment that an import takes its secrets from, not that of the request. */
  | { readonly _tag: "NotFoundError"; readonly resource: Resource; readonly isImported?: boolean }
  | { readonly _tag: "AlreadyExistsError"; readonly resource: "secret" | "folder" }
  | {
    readonly _tag: "AuthenticationError"
    readonly reason: AuthenticationError["reason"]
    readonly problem?: string
  }
  | { readonly _tag: "PermissionError"; readonly problem: PermissionError["problem"] }
  | { readonly _tag: "InvalidRequestError"; readonly parameter: string; readonly problem: string }
  /** A failure of the server before it did anything. */
  | { readonly _tag: "NetworkError" }

export interface Row {
  readonly case: string
  /** The requests that the row applies to; without it, all. */
  readonly of?: ReadonlyArray<Subject>
  readonly means: Meaning
  /** That it is about the destination of a move, not the place of the request. */
  readonly isOfDestination?: true
  /** Which names the first `…` lists: those that are missing, those that exist, or either. */
  readonly lists?: "missing" | "existing" | "missing or existing"
  readonly answers: ReadonlyArray<Answer>
}

const refused = (problem?: string): Meaning =>
  problem === undefined
    ? { _tag: "AuthenticationError", reason: "Refused" }
    : { _tag: "AuthenticationError", reason: "Refused", problem }

const expired = (problem?: string): Meaning =>
  problem === undefined
    ? { _tag: "AuthenticationError", reason: "Expired" }
    : { _tag: "AuthenticationError", reason: "Expired", problem }

const forbidden = (problem: PermissionError["problem"]): Meaning => ({ _tag: "PermissionError", problem })

const missing = (resource: Resource): Meaning => ({ _tag: "NotFoundError", resource })

const invalid = (parameter: string, problem: string): Meaning => ({ _tag: "InvalidRequestError", parameter, problem })

const notAllowed = "You are not allowed to access this resource"
const somethingWrong = "Something went wrong"

/** The messages that Infisical gives when it has nothing to say. */
export const emptyMessages: ReadonlySet<string> = new Set([
  notAllowed,
  "The requested entity is not found",
  "The request is invalid",
  somethingWrong,
  "…"
])

const credentials: ReadonlyArray<Row> = [
  {
    case: "the identity is locked after refused logins",
    means: { _tag: "AuthenticationError", reason: "Locked" },
    answers: [[
      "2025 to 2026",
      401,
      "UnauthorizedError",
      "This identity auth method is temporarily locked, please try again later"
    ]]
  },
  {
    case: "the client id or the client secret is wrong",
    means: refused("the client id or the client secret is wrong, or was revoked. Check both, and siteUrl."),
    answers: [
      ["2024-07", 403, "UnauthorizedError", "Invalid credentials"],
      ["2024-10 to 2026", 401, "UnauthorizedError", "Invalid credentials"],
      ["2024-10", 404, "NotFound", "No identity with specified client ID was found"]
    ]
  },
  {
    case: "the client secret has expired",
    means: expired("the client secret has expired. Create a new one."),
    answers: [["2024-10 to 2026", 401, "UnauthorizedError", "Access denied due to expired client secret"]]
  },
  {
    case: "the client secret was used as often as it may be",
    means: expired("the client secret was used as often as it may be. Create one with a higher limit, or with none."),
    answers: [["2024-10 to 2026", 401, "UnauthorizedError", "Access denied due to client secret usage limit reached"]]
  },
  {
    case: "the identity does not have this auth method, or does not exist",
    of: ["credential"],
    means: refused(
      "there is no such identity with this auth method. Check the identity's id, and configure the method in Infisical."
    ),
    answers: [["2024-10 to 2026", 404, "NotFound", "… auth method not found for identity…"]]
  },
  {
    case: "the settings of the auth method do not allow this login",
    of: ["credential"],
    means: refused("the settings of the identity's auth method do not allow it. Check what they allow."),
    answers: [
      ["2024-10 to 2026", 401, "UnauthorizedError", "Access denied: K8s namespace not allowed."],
      ["2024-10 to 2026", 401, "UnauthorizedError", "Access denied: …"]
    ]
  },
  {
    case: "the server does not accept the token of the OIDC provider",
    of: ["credential"],
    means: refused("the token of the OIDC provider was not accepted. Check it, and the auth method's settings."),
    answers: [["2025 to 2026", 500, "OidcAuthError", "…"]]
  },
  {
    case: "Kubernetes does not confirm the token",
    of: ["credential"],
    means: refused("Kubernetes did not confirm the token. Check it, and the token reviewer of the auth method."),
    answers: [["2024-10 to 2026", 401, "KubernetesTokenReviewError", "…"]]
  },
  {
    case: "the proxy in front of Infisical passes no client certificate on",
    of: ["credential"],
    means: refused("no client certificate reached Infisical. Check the proxy in front of it, and the HttpClient."),
    answers: [["2025 to 2026", 400, "BadRequest", "Missing TLS certificate in header"]]
  },
  {
    case: "the identity is not in the organization that the credential names",
    means: refused("the identity is not in this organization. Check organizationSlug."),
    answers: [
      ["2025 to 2026", 404, "NotFound", "Sub organization with name … not found"],
      ["2025 to 2026", 401, "UnauthorizedError", "Identity not authorized to access sub organization …"]
    ]
  },
  {
    case: "the identity is not in the organization that the login asks for",
    of: ["credential"],
    means: refused("the identity is not in this organization. Check organizationSlug."),
    answers: [["2025 to 2026", 400, "BadRequest", "Identity does not belong to this organization"]]
  },
  {
    case: "the identity may not log in from this address",
    of: ["credential"],
    means: refused("it may not be used from this address. Add the address to its trusted IPs."),
    answers: [[
      "2024-07 to 2026",
      403,
      "ForbiddenError",
      "You are not allowed to access this resource from the current IP…"
    ]]
  },
  {
    case: "the token has expired",
    means: expired(),
    answers: [
      ["2024-07", 403, "UnauthorizedError", "failed to authenticate expired service token"],
      ["2024-07", 403, "UnauthorizedError", "Failed to renew MI access token…"],
      ["2024-10 to 2025", 401, "UnauthorizedError", "Failed to renew MI access token…"],
      ["2024-07", 500, "Internal Server Error", "jwt expired"],
      ["2024-10 to 2026", 403, "ForbiddenError", "Service token has expired"],
      ["2024-10 to 2026", 403, "TokenError", "Your token has expired. Please re-authenticate."],
      ["2025", 401, "UnauthorizedError", "Access token has expired"],
      ["2025", 401, "UnauthorizedError", "Token has expired"],
      ["2026", 401, "UnauthorizedError", "Cannot renew: identity access token has reached its max TTL"],
      ["2026", 401, "UnauthorizedError", "Identity access token exceeded max age, please re-authenticate"]
    ]
  },
  {
    case: "the token was used as often as it may be",
    means: expired("it was used as often as it may be. Log in again, or raise the limit of its uses."),
    answers: [
      ["2024-07", 400, "BadRequest", "Unable to renew because access token number of uses limit reached"],
      [
        "2024-10 to 2025",
        401,
        "UnauthorizedError",
        "Unable to renew because access token number of uses limit reached"
      ],
      ["2026", 401, "UnauthorizedError", "Failed to authorize: …token usage limit reached"],
      ["2026", 401, "UnauthorizedError", "Cannot renew: …token usage limit reached"],
      ["2026", 401, "UnauthorizedError", "Cannot renew exhausted access token"]
    ]
  },
  {
    case: "the request carries no token",
    means: refused("the request reached Infisical without it. Check the proxy in between, and transformClient."),
    answers: [
      ["2024-07", 403, "Unauthorized access", "Token missing"],
      ["2024-10 to 2026", 401, "UnauthorizedError", "Token missing"]
    ]
  },
  {
    case: "the token is unknown or revoked",
    means: refused(),
    answers: [
      ["2024-07", 403, "UnauthorizedError", notAllowed],
      ["2024-10 to 2026", 404, "NotFound", "Service token with ID '…' not found"],
      ["2024-10 to 2026", 401, "UnauthorizedError", "Invalid service token"],
      ["2024-10 to 2025", 401, "UnauthorizedError", "No identity access token found"],
      ["2026", 401, "UnauthorizedError", "Failed to authorize: …"],
      ["2026", 401, "UnauthorizedError", "Cannot renew: …"]
    ]
  },
  {
    case: "the token is malformed",
    means: refused(),
    answers: [
      ["2024-07", 500, "Internal Server Error", "jwt malformed"],
      ["2024-07", 500, "Internal Server Error", "jwt must be provided"],
      ["2024-07", 500, "Internal Server Error", "invalid token"],
      ["2024-07", 500, "Internal Server Error", "invalid signature"],
      ["2024-07", 500, "Internal Server Error", "data and hash arguments required"],
      ["2024-10 to 2026", 403, "TokenError", "…"]
    ]
  },
  {
    case: "this kind of token cannot be asked about itself",
    of: ["credential"],
    means: refused(),
    answers: [
      ["2024-07", 403, "… Unauthorized Access", notAllowed],
      ["2024-10 to 2026", 403, "Forbidden access to …", notAllowed]
    ]
  }
]

const permissions: ReadonlyArray<Row> = [
  {
    case: "the credential is not in the project",
    means: forbidden("project"),
    answers: [
      ["2024-07", 403, "UnauthorizedError", "Failed to find service authorization for given project"],
      ["2024-07", 403, "Identity not in project", notAllowed],
      [
        "2024-10",
        403,
        "Identity is not a member of the specified project with ID '…'",
        notAllowed
      ],
      [
        "2024-10 to 2026",
        403,
        "Service token not a part of the specified project with ID …",
        notAllowed
      ],
      ["2024-07", 403, "User not in project", notAllowed],
      ["2024-10", 403, "User not a part of the specified project with ID …", notAllowed],
      ["2025", 403, "You are not member of this project", notAllowed],
      [
        "2025 to 2026",
        403,
        "This project does not belong to your selected organization.",
        notAllowed
      ],
      [
        "2025 to 2026",
        403,
        "Service token not a part of the specified organization with ID …",
        notAllowed
      ],
      ["2025 to 2026", 400, "BadRequest", "Identity does not belong to this organization"],
      ["2026", 403, "ProjectMembershipNotFound", "…"]
    ]
  },
  {
    case: "the route is not for this kind of credential",
    means: forbidden("credential kind"),
    answers: [
      ["2024-07", 403, "… Unauthorized Access", notAllowed],
      ["2024-10 to 2026", 403, "Forbidden access to …", notAllowed]
    ]
  },
  {
    case: "the credential may not be used from this address",
    means: forbidden("address"),
    answers: [[
      "2024-07 to 2026",
      403,
      "ForbiddenError",
      "You are not allowed to access this resource from the current IP…"
    ]]
  },
  {
    case: "a policy forbids it",
    means: forbidden("policy"),
    answers: [
      ["2025 to 2026", 403, "PolicyViolationError", "…"],
      ["2024-10 to 2026", 400, "DeleteFolderProtectedByPolicy", "…"]
    ]
  },
  {
    case: "a personal secret of what is no user",
    means: forbidden("personal secret"),
    answers: [["2024-07 to 2024-10", 400, "BadRequest", "Must be user to create personal secret…"]]
  },
  {
    case: "the role or the scopes do not allow it",
    means: forbidden("scope"),
    answers: [
      ["2024-07", 401, "PermissionDenied", "…"],
      ["2024-10 to 2026", 403, "PermissionDenied", "…"]
    ]
  }
]

const names: ReadonlyArray<Row> = [
  {
    case: "the name of a secret is taken",
    means: { _tag: "AlreadyExistsError", resource: "secret" },
    lists: "existing",
    answers: [
      ["2024-07 to 2024-10", 400, "BadRequest", "Secret already exist"],
      ["2024-10", 400, "BadRequest", "Secret already exist: …"],
      ["2025 to 2026", 400, "BadRequest", "Secret already exists"],
      ["2025 to 2026", 400, "BadRequest", "Secret already exists: …"],
      ["2024-10", 400, "BadRequest", "Secret with the new name already exist"],
      ["2025 to 2026", 400, "BadRequest", "Secret with the new name already exists"],
      ["2024-10 to 2026", 400, "BadRequest", "Secret with new name already exists: …"]
    ]
  },
  {
    case: "the name of a secret is taken where it would be moved to",
    means: { _tag: "AlreadyExistsError", resource: "secret" },
    isOfDestination: true,
    lists: "existing",
    answers: [
      [
        "2025 to 2026",
        400,
        "BadRequest",
        "Failed to move secrets. The following secrets already exist in the destination: …"
      ],
      ["2025 to 2026", 400, "BadRequest", "Selected secrets already exist in the destination."]
    ]
  },
  {
    case: "the name of a folder is taken",
    means: { _tag: "AlreadyExistsError", resource: "folder" },
    answers: [
      ["2024-07", 400, "BadRequest", "Folder already exist…"],
      ["2024-10 to 2026", 400, "UpdateFolder", "Folder with specified name already exists"],
      ["2025 to 2026", 400, "BadRequest", "Folder with name '…' already exists in path '…'"]
    ]
  },
  {
    case: "the secret does not exist",
    means: missing("secret"),
    answers: [
      ["2024-07", 400, "BadRequest", "Secret not found"],
      ["2024-10 to 2026", 404, "NotFound", "Secret with name …not found"],
      ["2025 to 2026", 404, "NotFound", "Secret with ID '…' not found"],
      ["2025 to 2026", 404, "NotFound", "One or more secrets not found in source folder with path …"],
      [
        "2024-07 to 2026",
        400,
        "BadRequest",
        "Failed to create personal secret override for no corresponding shared secret…"
      ]
    ]
  },
  {
    case: "some secrets of a batch do not exist; the server lists them",
    means: missing("secret"),
    lists: "missing",
    answers: [
      ["2024-07", 400, "BadRequest", "Secret not found: blind index …"],
      ["2024-10 to 2025", 404, "NotFound", "Secret not found: blind index …"],
      ["2025 to 2026", 404, "NotFound", "Secret does not exist: … in path …"]
    ]
  },
  {
    case: "some secrets of a batch do not exist; the server lists the others",
    means: missing("secret"),
    lists: "existing",
    answers: [["2024-10", 404, "NotFound", "Secret does not exist: …"]]
  },
  {
    case: "some secrets of a batch do not exist; the server lists the others, in 2026 those",
    means: missing("secret"),
    lists: "missing or existing",
    answers: [["2024-10 to 2026", 404, "NotFound", "One or more secrets does not exist: …"]]
  },
  {
    case: "the folder does not exist; of the path \"/\", the environment",
    means: missing("folder"),
    answers: [
      ["2024-07", 400, "Create secret", "Folder not found…"],
      ["2024-10 to 2026", 404, "CreateSecret", "Folder with path '…' in environment with slug '…' not found"],
      [
        "2025 to 2026",
        404,
        "SecretPathNotFound",
        "Folder with path '…' in environment '…' was not found. Please ensure the environment slug and secret path is correct."
      ],
      ["2025 to 2026", 404, "NotFound", "Source folder with path '…' in environment with slug '…' not found"],
      ["2024-10 to 2026", 404, "UpdateFolder", "Folder with …not found"],
      ["2024-10 to 2026", 404, "NotFound", "Failed to delete folder with ID '…', not found"]
    ]
  },
  {
    case: "the folder that secrets would be moved to does not exist",
    means: missing("folder"),
    isOfDestination: true,
    answers: [
      ["2025 to 2026", 404, "NotFound", "Destination folder with path '…' in environment with slug '…' not found"]
    ]
  },
  {
    case: "the environment that is imported does not exist",
    of: ["import"],
    means: { _tag: "NotFoundError", resource: "environment", isImported: true },
    answers: [
      ["2024-07", 400, "Create import", "The request is invalid"],
      ["2024-10 to 2026", 404, "NotFound", "The requested entity is not found"]
    ]
  },
  {
    case: "the environment does not exist",
    means: missing("environment"),
    answers: [
      ["2024-07", 400, "get folders", "Environment not found"],
      ["2024-07", 500, "Internal Server Error", "'…' environment not found in project with ID …"],
      ["2024-10 to 2026", 404, "NotFound", "Environment with …not found"]
    ]
  },
  {
    case: "the import does not exist",
    means: missing("import"),
    answers: [
      ["2024-07", 400, "Sec imp del", "Secret import doc not found"],
      ["2024-07", 400, "BadRequest", "Import not found"],
      ["2024-10 to 2026", 400, "BadRequest", "Secret import not found"],
      ["2024-10 to 2026", 404, "NotFound", "Secret import with …not found"]
    ]
  }
]

const projects: ReadonlyArray<Row> = [
  {
    case: "the license of the server does not have the feature",
    of: ["import", "other"],
    means: invalid("request", "the plan of the Infisical organization does not include this. Upgrade the plan."),
    answers: [
      ["2024-10 to 2026", 400, "BadRequest", "Failed to … due to plan restriction. …"],
      ["2025 to 2026", 400, "BadRequest", "…not available on your current plan…"]
    ]
  },
  {
    case: "the project does not exist",
    means: missing("project"),
    answers: [
      ["2024-07", 400, "BadRequest", "Project not found…"],
      ["2024-10 to 2026", 404, "NotFound", "Project with …not found…"],
      ["2024-07 to 2024-10", 500, "Failed to find project by slug", somethingWrong],
      ["2024-07 to 2024-10", 500, "Find project by slug", somethingWrong]
    ]
  },
  {
    case: "the project is end-to-end encrypted",
    means: invalid(
      "project",
      "it is end-to-end encrypted, so the server cannot decrypt it. Use a service token with its key part, or upgrade the project."
    ),
    answers: [
      ["2024-07 to 2026", 400, "bot_not_found_error", "…"],
      ["2024-10 to 2026", 404, "NotFound", "Project bot not found for project with ID …"]
    ]
  },
  {
    case: "the project is not end-to-end encrypted",
    means: invalid(
      "project",
      "it is not end-to-end encrypted, so its secrets are not on the routes for encrypted ones. Set source to \"v3\" or \"v4\"."
    ),
    answers: [["2024-10 to 2026", 404, "CreateSecret", "Blind index for project with ID '…' not found"]]
  },
  {
    case: "the project is one of another product",
    means: invalid("project", "it is not a project for secrets. Use the id of a Secrets Management project."),
    answers: [[
      "2025 to 2026",
      400,
      "BadRequest",
      "The project is of type …. Operations of type … are not allowed."
    ]]
  },
  {
    case: "project or environment is missing in the request",
    means: invalid("request", "the project's id or the environment is empty. Check both."),
    answers: [
      ["2024-07 to 2024-10", 400, "BadRequest", "Missing workspace id or environment"],
      ["2024-07 to 2024-10", 400, "BadRequest", "Missing environment"],
      ["2024-07 to 2024-10", 400, "BadRequest", "You must provide workspaceSlug or workspaceId"],
      ["2024-10", 400, "BadRequest", "Must provide either project slug or projectId"]
    ]
  }
]

const requests: ReadonlyArray<Row> = [
  {
    case: "a tag does not exist, or is there twice",
    means: invalid("tagIds", "the project has no tag with one of these ids, or one is there twice. List its tags."),
    answers: [
      ["2024-07", 400, "BadRequest", "Tag not found"],
      ["2024-10 to 2026", 404, "NotFound", "Tag not found…"],
      ["2024-10 to 2026", 404, "NotFound", "One or more tags not found"]
    ]
  },
  {
    case: "a name is there twice in a batch",
    means: invalid("secrets", "a name is there twice. Give each name once."),
    answers: [["2026", 400, "BadRequest", "Each secret can only be deleted once per request: …"]]
  },
  {
    case: "the new name is empty",
    means: invalid("newName", "it is empty"),
    answers: [["2024-07", 400, "BadRequest", "New secret name cannot be empty"]]
  },
  {
    case: "the project wants names in upper case",
    means: invalid(
      "secretName",
      "the project allows upper case only. Use upper case, or change the project's settings."
    ),
    answers: [["2025 to 2026", 400, "BadRequest", "Secret name must be in UPPERCASE…"]]
  },
  {
    case: "the secret is managed by a rotation",
    means: invalid("secretName", "a secret rotation manages it. Change or delete the rotation instead."),
    answers: [
      ["2025 to 2026", 400, "BadRequest", "Cannot delete rotated secret…"],
      ["2025 to 2026", 400, "BadRequest", "Cannot update rotated secret…"]
    ]
  },
  {
    case: "the project wants metadata to be encrypted",
    means: invalid(
      "metadata",
      "the project allows encrypted metadata only, which this library cannot write. Leave it out, or change the project's settings."
    ),
    answers: [["2026", 400, "BadRequest", "Encrypted secret metadata is enforced…"]]
  },
  {
    case: "two folders would import each other",
    means: invalid("source", "that folder imports this one, so they would import each other"),
    answers: [["2024-07 to 2026", 400, "BadRequest", "Cyclic import not allowed"]]
  },
  {
    case: "the folder is not empty",
    means: invalid("forceDelete", "the folder is not empty. Delete what is in it first, or set forceDelete."),
    answers: [["2025 to 2026", 400, "deleteFolder", "Cannot delete folder … because it contains resources…"]]
  },
  {
    case: "the value was encrypted with another key",
    means: invalid("value", "the server cannot decrypt it: it was encrypted with another key than the project's"),
    answers: [["2024-07", 500, "Internal Server Error", "Unsupported state or unable to authenticate data"]]
  },
  {
    case: "the server is in maintenance mode",
    means: { _tag: "NetworkError" },
    answers: [["2024-07 to 2026", 500, "Internal Server Error", "Infisical is in maintenance mode…"]]
  }
]

export const rows: ReadonlyArray<Row> = [...credentials, ...permissions, ...names, ...projects, ...requests]
