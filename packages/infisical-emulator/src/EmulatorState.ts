/**
 * What the server holds, in memory. Secrets are rows as they are stored: encrypted by whoever wrote them.
 *
 * @since 0.1.0
 */
import { Credential, Crypto } from "effect-infisical"
import type { Wire } from "effect-infisical"
import * as Array from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Identifier from "./internal/identifier.js"
import * as Jwt from "./internal/jwt.js"
import * as World from "./World.js"

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
 * A folder. Its secrets are ordered by id, as every list is.
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

/**
 * The service behind `EmulatorState`. What is beside the state is gone when the server stops.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly state: Ref.Ref<State>
  readonly requests: Ref.Ref<Chunk.Chunk<AnsweredRequest>>
  /** What the rate limit counts, by client address and route. */
  readonly counted: Ref.Ref<HashMap.HashMap<string, Counted>>
  /** Whether it is in maintenance mode, in which it refuses what is not read. */
  readonly maintenance: Ref.Ref<boolean>
}

/**
 * A state, and what the description of the world became in it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Held {
  readonly service: Service
  readonly world: World.Resolved
}

/**
 * What the server holds, and what it was asked.
 *
 * @since 0.1.0
 * @category tags
 */
export class EmulatorState extends Context.Tag("effect-infisical-emulator/EmulatorState")<EmulatorState, Service>() {}

/**
 * Builds what a world describes: generates what it leaves out, and encrypts its secrets.
 *
 * Fails with `WorldError` where the world has mistakes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  input: World.Input
): Effect.Effect<Held, World.WorldError, Crypto.Crypto> =>
  Effect.gen(function*() {
    const world = yield* World.decode(input)
    const jwtSecret = Redacted.make(yield* Identifier.hexadecimal(8))
    const users = yield* forEachEntry(world.users, (user, name) => makeUser(user, name, jwtSecret))
    const projects = yield* forEachEntry(world.projects, (project, name) => makeProject(project, name, users))
    const tokens = yield* forEachEntry(
      world.serviceTokens,
      (token, name) => makeServiceToken(world, projects, token, name, jwtSecret)
    )
    const identities = yield* forEachEntry(world.identities, (identity) => makeIdentity(identity, projects))
    const owner = Object.values(users)[0] ?? (yield* makeUser({}, "owner", jwtSecret))

    const service = yield* makeService({
      projects: HashMap.fromIterable(Object.values(projects).map((project) => [project.id, project] as const)),
      serviceTokens: HashMap.fromIterable(Object.values(tokens).map(({ token }) => [token.id, token] as const)),
      users: Object.values(users),
      identities: Object.values(identities),
      accessTokens: [],
      approvalPolicies: world.approvalPolicies.map((policy) => ({
        ...policy,
        project: policy.project === undefined ? undefined : projects[policy.project]?.id
      })),
      rateLimit: Option.map(Option.fromNullable(world.rateLimit), ({ limit, routes, window }) => ({
        limit,
        routes,
        window: Duration.toMillis(window)
      })),
      era: world.era,
      jwtSecret,
      owner,
      admitsServiceTokenV3: Object.values(tokens).some(({ token }) => token.projectKey.version === "v3")
    })

    return {
      service,
      world: {
        projects: mapEntries(projects, ({ environments, id, key, slug }) => ({ environments, id, key, slug })),
        serviceTokens: mapEntries(tokens, ({ credential }) => credential),
        users: mapEntries(users, ({ email, id, jwt }) => ({ email, id, jwt })),
        identities: mapEntries(identities, ({ clientId, clientSecret, id }) => ({ clientId, clientSecret, id }))
      }
    }
  })

/**
 * A server that holds a state and was not asked yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeService = (state: State): Effect.Effect<Service> =>
  Effect.all({
    state: Ref.make(state),
    requests: Ref.make(Chunk.empty<AnsweredRequest>()),
    counted: Ref.make(HashMap.empty<string, Counted>()),
    maintenance: Ref.make(false)
  })

/**
 * Keeps in mind that a request came, and what became of it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const record = (
  self: Service,
  { request, route, status }: {
    readonly request: { readonly method: string; readonly url: string }
    readonly route: string | undefined
    readonly status: number | undefined
  }
): Effect.Effect<void> =>
  Ref.update(self.requests, Chunk.append({ method: request.method, route, path: request.url, status }))

/**
 * Changes the state, or leaves it as it is and says why.
 *
 * @since 0.1.0
 * @category combinators
 */
export const change = <A, E>(
  self: Service,
  f: (state: State) => Either.Either<readonly [answer: A, state: State], E>
): Effect.Effect<A, E> =>
  Effect.flatten(Ref.modify(self.state, (state) =>
    Either.match(f(state), {
      onLeft: (problem): readonly [Effect.Effect<A, E>, State] => [Effect.fail(problem), state],
      onRight: ([answer, next]): readonly [Effect.Effect<A, E>, State] => [Effect.succeed(answer), next]
    })))

/**
 * The folder at a path. Empty names along it do not count, as on the server.
 *
 * @since 0.1.0
 * @category getters
 */
export const findFolder = (project: Project, environment: string, path: string): Option.Option<Folder> =>
  HashMap.get(project.folders, folderKey(environment, path))

/**
 * Puts a folder in the place of the one that was there.
 *
 * @since 0.1.0
 * @category combinators
 */
export const putFolder = (state: State, project: Project, folder: Folder): State => ({
  ...state,
  projects: HashMap.set(state.projects, project.id, withFolder(project, folder))
})

/**
 * Takes folders away.
 *
 * @since 0.1.0
 * @category combinators
 */
export const removeFolders = (state: State, project: Project, folders: ReadonlyArray<Folder>): State => ({
  ...state,
  projects: HashMap.set(state.projects, project.id, {
    ...project,
    folders: folders.reduce(
      (all, { environment, path }) => HashMap.remove(all, folderKey(environment, path)),
      project.folders
    )
  })
})

/**
 * Puts a secret in the place of the one that has its id, or adds it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const putSecret = (folder: Folder, secret: Secret): Folder => ({
  ...folder,
  secrets: orderById([...folder.secrets.filter((other) => other.row.id !== secret.row.id), secret])
})

/**
 * Writes a shared secret in plain text, as its owner would: makes the folder where it is missing, and counts the
 * version up where there is such a secret.
 *
 * @since 0.1.0
 * @category combinators
 */
export const writePlain = (
  self: Service,
  options: {
    readonly projectId: string
    readonly environment: string
    readonly secretPath: string
    readonly name: string
    readonly value: string
    readonly comment: string | undefined
  }
): Effect.Effect<void, never, Crypto.Crypto> =>
  Effect.gen(function*() {
    const project = HashMap.get((yield* Ref.get(self.state)).projects, options.projectId)
    if (Option.isNone(project)) return
    const cipher = yield* cipherOf(project.value.key)
    const encrypted = yield* encrypt(cipher, options.name, options.value, options.comment)
    const time = yield* Identifier.now
    const folders = yield* makeFolders([[options.secretPath, World.Folder.make({})]], options.environment)
    const id = yield* Identifier.uuid
    yield* Ref.update(self.state, (state) => {
      const current = HashMap.get(state.projects, options.projectId)
      if (Option.isNone(current)) return state
      const grown = folders.reduce(
        (project, folder) =>
          Option.isSome(findFolder(project, folder.environment, folder.path)) ? project : withFolder(project, folder),
        current.value
      )
      const folder = findFolder(grown, options.environment, options.secretPath)
      if (Option.isNone(folder)) return state
      const existing = folder.value.secrets.find(({ name, row }) => name === options.name && row.type === "shared")
      const secret = existing === undefined
        ? {
          name: options.name,
          row: newRow(encrypted, { id, folderId: folder.value.id, time }),
          tagIds: [],
          metadata: {},
          earlier: []
        }
        : nextVersion(existing, options.name, encrypted, time)
      return putFolder(state, grown, putSecret(folder.value, secret))
    })
  })

/**
 * Removes a secret with what overrides it, if there is one.
 *
 * @since 0.1.0
 * @category combinators
 */
export const removePlain = (
  self: Service,
  options: {
    readonly projectId: string
    readonly environment: string
    readonly secretPath: string
    readonly name: string
  }
): Effect.Effect<void> =>
  Ref.update(self.state, (state) =>
    Option.match(
      Option.flatMap(
        HashMap.get(state.projects, options.projectId),
        (project) =>
          Option.map(findFolder(project, options.environment, options.secretPath), (folder) =>
            putFolder(state, project, {
              ...folder,
              secrets: folder.secrets.filter(({ name }) => name !== options.name)
            }))
      ),
      { onNone: () => state, onSome: (next) => next }
    ))

/**
 * Forgets the service token of this name, if there is one.
 *
 * @since 0.1.0
 * @category combinators
 */
export const revoke = (self: Service, tokenName: string): Effect.Effect<void> =>
  Ref.update(self.state, (state) => ({
    ...state,
    serviceTokens: HashMap.filter(state.serviceTokens, ({ name }) => name !== tokenName)
  }))

/**
 * Deletes every access token of an identity.
 *
 * @since 0.1.0
 * @category combinators
 */
export const revokeAccessTokens = (self: Service, identityId: string): Effect.Effect<void> =>
  Ref.update(self.state, (state) => ({
    ...state,
    accessTokens: state.accessTokens.filter((token) => token.identityId !== identityId)
  }))

/**
 * The encrypted fields of a row.
 *
 * @since 0.1.0
 * @category models
 */
export type EncryptedFields = Pick<
  SecretRow,
  | "secretKeyCiphertext"
  | "secretKeyIV"
  | "secretKeyTag"
  | "secretValueCiphertext"
  | "secretValueIV"
  | "secretValueTag"
  | "secretCommentCiphertext"
  | "secretCommentIV"
  | "secretCommentTag"
>

/**
 * The first version of a secret. It is shared unless a user is given.
 *
 * @since 0.1.0
 * @category constructors
 */
export const newRow = (
  encrypted: EncryptedFields,
  options: {
    readonly id: string
    readonly folderId: string
    readonly time: string
    readonly userId?: string | undefined
  }
): SecretRow => ({
  id: options.id,
  version: 1,
  type: options.userId === undefined ? "shared" : "personal",
  secretKeyCiphertext: encrypted.secretKeyCiphertext,
  secretKeyIV: encrypted.secretKeyIV,
  secretKeyTag: encrypted.secretKeyTag,
  secretValueCiphertext: encrypted.secretValueCiphertext,
  secretValueIV: encrypted.secretValueIV,
  secretValueTag: encrypted.secretValueTag,
  secretCommentCiphertext: encrypted.secretCommentCiphertext,
  secretCommentIV: encrypted.secretCommentIV,
  secretCommentTag: encrypted.secretCommentTag,
  secretReminderNote: null,
  secretReminderRepeatDays: null,
  skipMultilineEncoding: false,
  algorithm: "aes-256-gcm",
  keyEncoding: "utf8",
  metadata: null,
  userId: options.userId ?? null,
  folderId: options.folderId,
  createdAt: options.time,
  updatedAt: options.time
})

/**
 * The next version of a secret. What the change does not carry stays.
 *
 * @since 0.1.0
 * @category combinators
 */
export const nextVersion = (
  secret: Secret,
  name: string,
  changed: Partial<EncryptedFields & Pick<SecretRow, "secretReminderNote" | "secretReminderRepeatDays">>,
  time: string
): Secret => ({
  ...secret,
  name,
  row: { ...secret.row, ...changed, version: secret.row.version + 1, updatedAt: time },
  earlier: [...secret.earlier, { name: secret.name, row: secret.row }]
})

const folderKey = (environment: string, path: string): string => JSON.stringify([environment, ...World.segments(path)])

const withFolder = (project: Project, folder: Folder): Project => ({
  ...project,
  folders: HashMap.set(project.folders, folderKey(folder.environment, folder.path), folder)
})

const orderById = (secrets: ReadonlyArray<Secret>): ReadonlyArray<Secret> =>
  secrets.toSorted((left, right) => left.row.id < right.row.id ? -1 : left.row.id > right.row.id ? 1 : 0)

const makeUser = (user: World.User, name: string, jwtSecret: Redacted.Redacted<string>): Effect.Effect<User> =>
  Effect.gen(function*() {
    const id = user.id ?? (yield* Identifier.uuid)
    const createdAt = yield* Clock.currentTimeMillis
    const jwt = user.jwt === undefined
      ? Jwt.sign(jwtSecret, { authTokenType: "accessToken", userId: id, iat: Math.floor(createdAt / 1000) })
      : Redacted.make(user.jwt)
    return { id, email: user.email ?? `${name}@localhost.local`, jwt, createdAt }
  })

const makeIdentity = (
  identity: World.Identity,
  projects: Readonly<Record<string, Project>>
): Effect.Effect<Identity> =>
  Effect.gen(function*() {
    const roles = World.membershipsOf(identity, Object.keys(projects)).flatMap(({ project, role }) => {
      const id = projects[project]?.id
      return id === undefined || role === "none" ? [] : [[id, role] as const]
    })
    return {
      id: identity.id ?? (yield* Identifier.uuid),
      clientId: identity.clientId ?? (yield* Identifier.uuid),
      clientSecret: Redacted.make(identity.clientSecret ?? (yield* Identifier.hexadecimal(8))),
      clientSecretId: yield* Identifier.uuid,
      roles: Object.fromEntries(roles),
      scopes: Option.fromNullable(identity.scopes),
      readableNames: Option.fromNullable(identity.readableNames),
      hidesValues: identity.hidesValues,
      accessTokenTTL: identity.accessTokenTTL,
      accessTokenMaxTTL: identity.accessTokenMaxTTL ?? identity.accessTokenTTL,
      accessTokenNumUsesLimit: identity.accessTokenNumUsesLimit,
      acceptedJwts: Option.map(Option.fromNullable(identity.acceptedJwts), Array.map((jwt) => Redacted.make(jwt))),
      ldap: Option.map(Option.fromNullable(identity.ldap), ({ password, username }) => ({
        username,
        password: Redacted.make(password)
      })),
      refusedAt: [],
      lockedUntil: 0
    }
  })

const makeProject = (
  project: World.Project,
  name: string,
  users: Readonly<Record<string, User>>
): Effect.Effect<Project, never, Crypto.Crypto> =>
  Effect.gen(function*() {
    const id = project.id ?? (yield* Identifier.uuid)
    const key = Redacted.make(project.key ?? (yield* Identifier.hexadecimal(4)))
    const cipher = yield* cipherOf(key)
    const time = yield* Identifier.now
    const tags = yield* Effect.forEach(Object.entries(project.tags), ([slug, tag]) =>
      Effect.map(tag.id === undefined ? Identifier.uuid : Effect.succeed(tag.id), (id) => ({
        id,
        slug,
        name: tag.name ?? slug,
        color: tag.color ?? ""
      })))
    const folders = yield* Effect.forEach(project.environments, (environment) => {
      const described = project.folders[environment] ?? {}
      return Effect.flatMap(makeFolders(Object.entries(described), environment), (folders) =>
        Effect.forEach(folders, (folder) =>
          Effect.map(
            Effect.forEach(
              Object.entries(described[folder.path]?.secrets ?? {}),
              ([name, secret]) =>
                makeSecrets(cipher, folder.id, name, secret, { users, tags }, time),
              { concurrency: "unbounded" }
            ),
            (secrets) => ({ ...folder, secrets: orderById(secrets.flat()) })
          )))
    })
    return folders.flat().reduce<Project>(withFolder, {
      id,
      slug: project.slug ?? name,
      endToEndEncrypted: project.endToEndEncrypted,
      tags,
      key,
      environments: project.environments,
      environmentIds: Object.fromEntries(
        yield* Effect.forEach(project.environments, (slug) =>
          Effect.map(Identifier.uuid, (id) =>
            [slug, id] as const))
      ),
      folders: HashMap.empty()
    })
  })

/**
 * Folders without secrets yet, with the root and those above them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeFolders = (
  described: ReadonlyArray<readonly [path: string, folder: World.Folder]>,
  environment: string
): Effect.Effect<ReadonlyArray<Folder>> => {
  const byPath = new Map(described)
  const paths = new Set(
    ["/", ...byPath.keys()].flatMap((path) => {
      const names = World.segments(path)
      return ["/", ...names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`)]
    })
  )
  return Effect.forEach(paths, (path) => {
    const folder = byPath.get(path)
    return Effect.gen(function*() {
      const time = yield* Identifier.now
      const imports = yield* Effect.forEach(
        folder?.imports ?? [],
        (one) => Effect.map(Identifier.uuid, (id) => ({ ...one, id, createdAt: time, updatedAt: time }))
      )
      return {
        id: folder?.id ?? (yield* Identifier.uuid),
        version: 1,
        environment,
        path,
        secrets: [],
        imports,
        createdAt: time,
        updatedAt: time
      }
    })
  })
}

const makeSecrets = (
  cipher: Crypto.Cipher,
  folderId: string,
  name: string,
  described: World.Secret,
  { tags, users }: { readonly users: Readonly<Record<string, User>>; readonly tags: ReadonlyArray<Tag> },
  time: string
): Effect.Effect<ReadonlyArray<Secret>> => {
  const secret: Exclude<World.Secret, string> = typeof described === "string" ? { value: described } : described
  const reminder = {
    secretReminderNote: secret.reminder?.note ?? null,
    secretReminderRepeatDays: secret.reminder?.repeatDays ?? null
  }
  const one = (id: string | undefined, value: string, comment: string | undefined, userId: string | undefined) =>
    Effect.gen(function*() {
      const chosen = id ?? (yield* Identifier.uuid)
      const encrypted = yield* encrypt(cipher, name, value, comment)
      return {
        name,
        row: { ...newRow(encrypted, { id: chosen, folderId, time, userId }), ...reminder },
        tagIds: tags.filter(({ slug }) => secret.tags?.includes(slug) === true).map(({ id }) => id),
        metadata: secret.metadata ?? {},
        earlier: []
      }
    })
  return Effect.all([
    one(secret.id, secret.value, secret.comment, undefined),
    ...Object.entries(secret.personal ?? {}).map(([user, value]) => one(undefined, value, undefined, users[user]?.id))
  ])
}

/**
 * Encrypts as Infisical's own clients do.
 *
 * @since 0.1.0
 * @category constructors
 */
export const encrypt = (
  cipher: Crypto.Cipher,
  name: string,
  value: string,
  comment: string | undefined
): Effect.Effect<EncryptedFields> =>
  // Infisical's own clients encrypt an absent comment as an empty one.
  Effect.map(Effect.all([cipher.encrypt(name), cipher.encrypt(value), cipher.encrypt(comment ?? "")]), (
    [sealedName, sealedValue, sealedComment]
  ) => ({
    secretKeyCiphertext: sealedName.ciphertext,
    secretKeyIV: sealedName.iv,
    secretKeyTag: sealedName.tag,
    secretValueCiphertext: sealedValue.ciphertext,
    secretValueIV: sealedValue.iv,
    secretValueTag: sealedValue.tag,
    secretCommentCiphertext: sealedComment.ciphertext,
    secretCommentIV: sealedComment.iv,
    secretCommentTag: sealedComment.tag
  }))

/**
 * What encrypts under a project key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const cipherOf = (key: Redacted.Redacted<string>): Effect.Effect<Crypto.Cipher, never, Crypto.Crypto> =>
  // Keys are 32 hexadecimal characters: checked where they are given, or made so.
  Effect.flatMap(Crypto.Crypto, (crypto) => Effect.orDie(crypto.projectCipher(key)))

const TokenV3 = Schema.parseJson(
  Schema.Struct({ publicKey: Schema.String, privateKey: Schema.String, serviceToken: Schema.String })
)

const makeServiceToken = (
  world: World.World,
  projects: Readonly<Record<string, Project>>,
  described: World.ServiceToken,
  name: string,
  jwtSecret: Redacted.Redacted<string>
): Effect.Effect<
  { readonly token: ServiceToken; readonly credential: Redacted.Redacted<string> },
  World.WorldError,
  Crypto.Crypto
> =>
  Effect.gen(function*() {
    const malformed = (problem: string) =>
      new World.WorldError({ mistakes: [World.mistake(["serviceTokens", name, "token"], problem)] })
    const project = Option.flatMapNullable(World.projectOf(world, described), (projectName) => projects[projectName])
    // Checked with the rest of the world.
    if (Option.isNone(project)) return yield* Effect.dieMessage(`The project of service token "${name}" is missing`)
    const { environments, id: projectId, key } = project.value

    const createdAt = yield* Clock.currentTimeMillis
    const given = described.token === undefined ? undefined : Redacted.make(described.token)
    const parts = described.version === "v2"
      ? yield* makeV2(given, key).pipe(Effect.mapError(malformed))
      : yield* makeV3(
        given,
        key,
        (claims) => Jwt.sign(jwtSecret, { ...claims, iat: Math.floor(createdAt / 1000) })
      ).pipe(Effect.mapError(malformed))

    const ttl = Option.map(Option.fromNullable(described.ttl), (ttl) => createdAt + Duration.toMillis(ttl))
    return {
      credential: parts.credential,
      token: {
        id: parts.id,
        name,
        secret: parts.secret,
        projectKey: parts.projectKey,
        projectId,
        scopes: described.scopes ?? environments.map((environment) => ({ environment, secretPath: "/**" })),
        permissions: described.permissions,
        expiresAt: Option.orElse(
          Option.map(Option.fromNullable(described.expiresAt), DateTime.toEpochMillis),
          () => ttl
        ),
        createdAt,
        lastUsed: createdAt
      }
    }
  })

const makeV2 = (given: Redacted.Redacted<string> | undefined, projectKey: Redacted.Redacted<string>) =>
  Effect.gen(function*() {
    const credential = given ??
      Redacted.make(
        `st.${yield* Identifier.uuid}.${yield* Identifier.hexadecimal(4)}.${yield* Identifier.hexadecimal(4)}`
      )
    const parsed = yield* Effect.mapError(
      Credential.serviceToken(credential),
      ({ part, problem }) => `is malformed: ${part} ${problem}`
    )
    if (parsed._tag !== "ServiceToken") return yield* Effect.fail("is the JSON of a v3 token: say version v3")
    if (Option.isNone(parsed.key)) return yield* Effect.fail("has no key part")
    const [, id = "", secret = ""] = Redacted.value(parsed.accessToken).split(".")
    const cipher = yield* cipherOf(parsed.key.value)
    const sealed = yield* cipher.encrypt(Redacted.value(projectKey))
    return { credential, id, secret: Redacted.make(secret), projectKey: { version: "v2" as const, sealed } }
  })

const makeV3 = (
  given: Redacted.Redacted<string> | undefined,
  projectKey: Redacted.Redacted<string>,
  sign: (claims: Jwt.Claims) => Redacted.Redacted<string>
) =>
  Effect.gen(function*() {
    const crypto = yield* Crypto.Crypto
    const id = yield* Identifier.uuid
    const holder = yield* crypto.createBoxKeyPair
    const credential = given ??
      Redacted.make(JSON.stringify({
        publicKey: holder.publicKey,
        privateKey: Redacted.value(holder.privateKey),
        serviceToken: `proj_token.${
          Redacted.value(sign({ authTokenType: "serviceAccessToken", serviceTokenDataId: id }))
        }`
      }))
    yield* Effect.mapError(
      Credential.serviceToken(credential),
      ({ part, problem }) => `is malformed: ${part} ${problem}`
    )
    const token = yield* Effect.mapError(
      Schema.decodeUnknown(TokenV3)(Redacted.value(credential)),
      () => "must be JSON of publicKey, privateKey and serviceToken"
    )
    // Whoever gave the token its project key sealed it with a key pair of their own.
    const giver = yield* crypto.createBoxKeyPair
    const box = yield* Effect.mapError(
      crypto.sealBox({ plaintext: projectKey, publicKey: token.publicKey, privateKey: giver.privateKey }),
      (error) => error.message
    )
    return {
      credential,
      id,
      secret: Redacted.make(token.serviceToken),
      projectKey: { version: "v3" as const, box, publicKey: giver.publicKey }
    }
  })

const forEachEntry = <A, B, E, R>(
  record: Readonly<Record<string, A>>,
  f: (value: A, name: string) => Effect.Effect<B, E, R>
): Effect.Effect<Readonly<Record<string, B>>, E, R> =>
  Effect.map(
    Effect.forEach(
      Object.entries(record),
      ([name, value]) => Effect.map(f(value, name), (result) => [name, result] as const)
    ),
    (entries) => Object.fromEntries(entries)
  )

const mapEntries = <A, B>(
  record: Readonly<Record<string, A>>,
  f: (value: A) => B
): Readonly<Record<string, B>> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value)] as const))
