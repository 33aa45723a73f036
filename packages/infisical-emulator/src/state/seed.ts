/**
 * Builds the state that a world describes.
 *
 * @since 0.1.0
 */
import type { Crypto } from "effect-infisical"
import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Eras from "../eras/eras.js"
import * as Identifier from "../support/identifier.js"
import * as Jwt from "../support/jwt.js"
import * as World from "../world/World.js"
import { makeFolders, withFolder } from "./folders.js"
import type { Identity, Project, Secret, Tag, User } from "./model.js"
import { cipherOf, encrypt, newRow } from "./secrets.js"
import { type Held, makeService } from "./service.js"
import { makeServiceToken } from "./serviceTokens.js"

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
    const engine = Eras.does(world, "engine")
    const users = yield* forEachEntry(world.users, (user, name) => makeUser(user, name, jwtSecret))
    const projects = yield* forEachEntry(world.projects, (project, name) => makeProject(project, name, users, engine))
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
      methods: Option.fromNullable(identity.methods),
      clientSecretNumUsesLimit: identity.clientSecretNumUsesLimit,
      clientSecretUses: 0,
      clientSecretRevoked: false,
      clientSecretExpiresAt: identity.clientSecretTTL === 0
        ? Option.none()
        : Option.some((yield* Clock.currentTimeMillis) + identity.clientSecretTTL * 1000),
      refusedAt: [],
      lockedUntil: 0
    }
  })

const makeProject = (
  project: World.Project,
  name: string,
  users: Readonly<Record<string, User>>,
  engine: World.Engine
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
            (secrets) => ({ ...folder, secrets: secrets.flat() })
          )))
    })
    return folders.flat().reduce<Project>(withFolder, {
      id,
      slug: project.slug ?? name,
      endToEndEncrypted: project.endToEndEncrypted,
      engine: project.engine ?? (project.endToEndEncrypted ? "v1" : engine),
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
        row: {
          ...newRow(encrypted, { id: chosen, folderId, time, userId }),
          ...reminder,
          skipMultilineEncoding: secret.skipMultilineEncoding ?? false
        },
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
