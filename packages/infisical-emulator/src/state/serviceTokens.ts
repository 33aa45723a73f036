/**
 * Builds the service tokens that a world describes.
 *
 * @since 0.1.0
 */
import { Credential, Crypto } from "effect-infisical"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Identifier from "../support/identifier.js"
import * as Jwt from "../support/jwt.js"
import * as World from "../world/World.js"
import type { Project, ServiceToken } from "./model.js"
import { cipherOf } from "./secrets.js"

const TokenV3 = Schema.parseJson(
  Schema.Struct({ publicKey: Schema.String, privateKey: Schema.String, serviceToken: Schema.String })
)

export const makeServiceToken = (
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
