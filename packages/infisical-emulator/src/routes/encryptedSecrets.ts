/** Secrets that clients encrypt and decrypt: `/api/v3/secrets`. */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type { Crypto } from "effect-infisical"
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Answer from "../eras/Answer.js"
import * as Access from "../rules/access.js"
import * as Approvals from "../rules/approvals.js"
import type { Actor } from "../rules/authentication.js"
import * as Authentication from "../rules/authentication.js"
import * as EncryptedSecrets from "../rules/encryptedSecrets.js"
import * as Legibility from "../rules/legibility.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import * as Body from "./body.js"
import { encodingOf } from "./encoding.js"
import { respond, route } from "./route.js"
import * as Validation from "./validation.js"

export const routes = (self: EmulatorState.Service) => [
  move(self),
  ...Object.values(Wire.encryptedSecrets.endpoints).map((endpoint) => {
    switch (endpoint.name) {
      case "listSecrets":
        return route(
          self,
          endpoint,
          ({ actor, state, urlParams }) =>
            Effect.flatMap(urlParams, (query) => EncryptedSecrets.list(state, actor, query))
        )
      case "getSecret":
        return route(self, endpoint, ({ actor, path, state, urlParams }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            return yield* EncryptedSecrets.get(state, actor, secretName, yield* urlParams)
          }))
      case "createSecret":
        return route(self, endpoint, ({ actor, body, path, payload }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            const written = yield* payload
            const made = { ...encodingOf(body), id: yield* Identifier.uuid, time: yield* Identifier.now }
            return yield* unlessApproval(
              self,
              actor,
              written,
              [written],
              (state) => EncryptedSecrets.create(state, actor, secretName, written, made)
            )
          }))
      case "updateSecret":
        return route(self, endpoint, ({ actor, body, path, payload }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            const written = yield* payload
            const made = { ...encodingOf(body), time: yield* Identifier.now }
            return yield* unlessApproval(
              self,
              actor,
              written,
              [written],
              (state) => EncryptedSecrets.update(state, actor, secretName, written, made)
            )
          }))
      case "deleteSecret":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            const written = yield* payload
            return yield* unlessApproval(
              self,
              actor,
              written,
              [],
              (state) => EncryptedSecrets.remove(state, actor, secretName, written)
            )
          }))
      case "createSecrets":
        return route(self, endpoint, ({ actor, payload }) =>
          Effect.gen(function*() {
            const written = yield* payload
            const ids = yield* Effect.forEach(written.secrets, () => Identifier.uuid)
            const made = { ids, time: yield* Identifier.now }
            return yield* unlessApproval(
              self,
              actor,
              written,
              written.secrets,
              (state) => EncryptedSecrets.createMany(state, actor, written, made)
            )
          }))
      case "updateSecrets":
        return route(self, endpoint, ({ actor, payload }) =>
          Effect.gen(function*() {
            const written = yield* payload
            const time = yield* Identifier.now
            return yield* unlessApproval(
              self,
              actor,
              written,
              written.secrets,
              (state) => EncryptedSecrets.updateMany(state, actor, written, time)
            )
          }))
      case "deleteSecrets":
        return route(self, endpoint, ({ actor, payload }) =>
          Effect.gen(function*() {
            const written = yield* payload
            return yield* unlessApproval(
              self,
              actor,
              written,
              [],
              (state) => EncryptedSecrets.removeMany(state, actor, written)
            )
          }))
    }
  })
]

// It is for the dashboard; here it is so that a secret of this name cannot be created, as on a real server.
const move = (self: EmulatorState.Service) =>
  HttpRouter.makeRoute(
    "POST",
    "/api/v3/secrets/move",
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const answer = yield* Effect.merge(Effect.gen(function*() {
        const actor = yield* Authentication.authenticate(self, request.headers["authorization"])
        if (actor._tag === "ServiceToken" || actor._tag === "ServiceTokenV3") {
          return yield* Effect.fail(Answer.tokenOfAnotherKind(request.url))
        }
        yield* Validation.decode(movedSecrets, yield* Body.read(request))
        return Answer.movesNothing
      }))
      return yield* respond(self, request, "/api/v3/secrets/move", answer)
    })
  )

const movedSecrets = Option.some(Schema.Struct({
  projectSlug: Schema.String,
  sourceEnvironment: Schema.String,
  destinationEnvironment: Schema.String,
  secretIds: Schema.Array(Schema.String)
}))

/** Changes secrets, or, where a policy covers them, answers that it awaits approval. */
const unlessApproval = (
  self: EmulatorState.Service,
  actor: Actor,
  place: Access.Place & { readonly type?: Wire.SecretType | undefined },
  values: Parameters<typeof Legibility.isLegible>[2],
  change: (
    state: EmulatorState.State
  ) => Either.Either<readonly [answer: Answer.Answer, state: EmulatorState.State], Answer.Answer>
): Effect.Effect<Answer.Answer, Answer.Answer, Crypto.Crypto> =>
  Effect.gen(function*() {
    const isLegible = yield* Legibility.isLegible(self, place.workspaceId, values)
    const approval = yield* Approvals.prepare
    return yield* EmulatorState.change(self, (state) =>
      change(state).pipe(
        Either.filterOrLeft(() => isLegible, () => Answer.notDecryptable),
        Either.map((changed) =>
          Option.match(
            Option.filter(Access.folderAt(state, place), () => Approvals.cover(state, actor, place)),
            { onNone: () => changed, onSome: (folder) => [approval(actor, folder), state] as const }
          )
        )
      ))
  })
