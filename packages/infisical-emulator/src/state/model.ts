/**
 * What the server holds, as immutable values.
 *
 * @since 0.1.0
 */
import type { Crypto } from "effect-infisical"
import type { Wire } from "effect-infisical"
import type * as HashMap from "effect/HashMap"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as World from "../world/World.js"

/**
 * A secret's row. The names of the fields are those of the wire, except for what a single answer adds.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretRow {
  readonly id: string
  readonly version: number
  readonly type: Wire.SecretType
  readonly secretKeyCiphertext: string
  readonly secretKeyIV: string
  readonly secretKeyTag: string
  readonly secretValueCiphertext: string
  readonly secretValueIV: string
  readonly secretValueTag: string
  readonly secretCommentCiphertext: string | null
  readonly secretCommentIV: string | null
  readonly secretCommentTag: string | null
  readonly secretReminderNote: string | null
  readonly secretReminderRepeatDays: number | null
  readonly skipMultilineEncoding: boolean
  readonly algorithm: "aes-256-gcm"
  readonly keyEncoding: "utf8"
  readonly metadata: null
  readonly userId: string | null
  readonly folderId: string
  readonly createdAt: string
  readonly updatedAt: string
}

/**
 * A secret by its name, which the server knows from the URL, and the rows of its earlier versions, oldest first.
 *
 * @since 0.1.0
 * @category models
 */
export interface Secret {
  readonly name: string
  readonly row: SecretRow
  /** Ids of tags of the project. */
  readonly tagIds: ReadonlyArray<string>
  readonly metadata: Readonly<Record<string, string>>
  readonly earlier: ReadonlyArray<{ readonly name: string; readonly row: SecretRow }>
}

/**
 * A folder. Its secrets are in the order in which they were made.
 *
 * @since 0.1.0
 * @category models
 */
export interface Folder {
  readonly id: string
  readonly version: number
  readonly environment: string
  readonly path: string
  readonly secrets: ReadonlyArray<Secret>
  /** Secrets that were deleted: the v1 engine still answers their earlier versions. */
  readonly deleted: ReadonlyArray<Secret>
  readonly imports: ReadonlyArray<Import>
  readonly createdAt: string
  readonly updatedAt: string
}

/**
 * A folder that is imported, in position order.
 *
 * @since 0.1.0
 * @category models
 */
export interface Import extends World.Import {
  readonly id: string
  readonly createdAt: string
  readonly updatedAt: string
}

/**
 * A tag of a project.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tag {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly color: string
}

/**
 * A project, and its folders by `folderKey`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Project {
  readonly id: string
  readonly slug: string
  readonly endToEndEncrypted: boolean
  readonly engine: World.Engine
  readonly tags: ReadonlyArray<Tag>
  readonly key: Redacted.Redacted<string>
  readonly environments: ReadonlyArray<string>
  /** By slug. */
  readonly environmentIds: Readonly<Record<string, string>>
  readonly folders: HashMap.HashMap<string, Folder>
}

/**
 * A service token. `secret` is what follows the id in a v2 token, and the whole token for v3.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceToken {
  readonly id: string
  readonly name: string
  readonly secret: Redacted.Redacted<string>
  readonly projectId: string
  readonly scopes: ReadonlyArray<World.Scope>
  readonly permissions: ReadonlyArray<World.Permission>
  /** Milliseconds since 1970. */
  readonly expiresAt: Option.Option<number>
  readonly createdAt: number
  readonly lastUsed: number
  readonly projectKey: SealedProjectKey
}

/**
 * The project key as its token carries it: under the token's own key (v2), or in a box for its private key (v3).
 *
 * @since 0.1.0
 * @category models
 */
export type SealedProjectKey =
  | { readonly version: "v2"; readonly sealed: Crypto.Sealed }
  | { readonly version: "v3"; readonly box: Crypto.SealedBox; readonly publicKey: string }

/**
 * A user, who is a member of every project.
 *
 * @since 0.1.0
 * @category models
 */
export interface User {
  readonly id: string
  readonly email: string
  readonly jwt: Redacted.Redacted<string>
  readonly createdAt: number
}

/**
 * A machine identity.
 *
 * @since 0.1.0
 * @category models
 */
export interface Identity {
  readonly id: string
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted<string>
  readonly clientSecretId: string
  /** By the ids of the projects that it is a member of. */
  readonly roles: Readonly<Record<string, World.Role>>
  /** Where it may do so, if not everywhere. */
  readonly scopes: Option.Option<ReadonlyArray<World.Scope>>
  readonly readableNames: Option.Option<ReadonlyArray<string>>
  readonly hidesValues: boolean
  /** In seconds. */
  readonly accessTokenTTL: number
  readonly accessTokenMaxTTL: number
  readonly accessTokenNumUsesLimit: number
  readonly acceptedJwts: Option.Option<ReadonlyArray<Redacted.Redacted<string>>>
  readonly ldap: Option.Option<{ readonly username: string; readonly password: Redacted.Redacted<string> }>
  /** The ways that it may log in, if not all. */
  readonly methods: Option.Option<ReadonlyArray<string>>
  /** 0 is without limit. */
  readonly clientSecretNumUsesLimit: number
  readonly clientSecretUses: number
  readonly clientSecretRevoked: boolean
  /** Milliseconds since 1970. */
  readonly clientSecretExpiresAt: Option.Option<number>
  /** When logins of it were refused of late, and until when none is let in. */
  readonly refusedAt: ReadonlyArray<number>
  readonly lockedUntil: number
}

/**
 * An access token that an identity logged in for. Times are in milliseconds since 1970.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccessToken {
  readonly jwt: Redacted.Redacted<string>
  readonly identityId: string
  readonly mintedAt: number
  readonly renewedAt: number
  /** The end that is written in the JWT, if one is. */
  readonly endsAt: Option.Option<number>
  readonly uses: number
}

/**
 * How often the clients of one address may ask one route.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimit {
  readonly limit: number
  /** In milliseconds. */
  readonly window: number
  /** Other limits, by method and pattern of the route. */
  readonly routes: Readonly<Record<string, number>>
}

/**
 * Everything the server holds: projects and service tokens by id.
 *
 * @since 0.1.0
 * @category models
 */
export interface State {
  readonly projects: HashMap.HashMap<string, Project>
  readonly serviceTokens: HashMap.HashMap<string, ServiceToken>
  readonly users: ReadonlyArray<User>
  readonly identities: ReadonlyArray<Identity>
  readonly accessTokens: ReadonlyArray<AccessToken>
  /** With the id of the project, where it is for one alone. */
  readonly approvalPolicies: ReadonlyArray<World.ApprovalPolicy>
  readonly rateLimit: Option.Option<RateLimit>
  readonly era: World.Era
  /** What its tokens are signed with. */
  readonly jwtSecret: Redacted.Redacted<string>
  /** Who made the service tokens. */
  readonly owner: User
  /** Whether this server still has the route of service token v3. Servers from 2024 on do not. */
  readonly admitsServiceTokenV3: boolean
}

/**
 * A request that was answered, or that a fault kept from being answered. Nothing of its headers or body is kept.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnsweredRequest {
  readonly method: string
  /** The route's pattern, for example `/api/v3/secrets/:secretName`; none where there is no such route. */
  readonly route: string | undefined
  /** The path as it was sent, with its query. */
  readonly path: string
  /** None where a fault kept the answer. */
  readonly status: number | undefined
}

/**
 * How many requests of one client address to one route were counted, and until when.
 *
 * @since 0.1.0
 * @category models
 */
export interface Counted {
  readonly times: number
  /** Milliseconds since 1970. */
  readonly endsAt: number
}
