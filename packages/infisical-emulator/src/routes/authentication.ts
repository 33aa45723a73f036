/** Logins of machine identities, and what becomes of their access tokens. */
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Ref from "effect/Ref"
import type * as Answer from "../eras/Answer.js"
import * as Identities from "../rules/identities.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import { openRoute } from "./route.js"

export const routes = (self: EmulatorState.Service) =>
  Object.values(Wire.authentication.endpoints).map((endpoint) => {
    switch (endpoint.name) {
      case "loginUniversalAuth":
        return openRoute(self, endpoint, (payload, made) =>
          attempt(self, payload, (state, payload) =>
            Identities.universalAuth(state, payload, made)))
      case "loginKubernetesAuth":
        return openRoute(self, endpoint, byJwt(self, "kubernetes-auth"))
      case "loginGcpAuth":
        return openRoute(self, endpoint, byJwt(self, "gcp-auth"))
      case "loginAzureAuth":
        return openRoute(self, endpoint, byJwt(self, "azure-auth"))
      case "loginOidcAuth":
        return openRoute(self, endpoint, byJwt(self, "oidc-auth"))
      case "loginJwtAuth":
        return openRoute(self, endpoint, byJwt(self, "jwt-auth"))
      case "loginSpiffeAuth":
        return openRoute(self, endpoint, byJwt(self, "spiffe-auth"))
      case "loginLdapAuth":
        return openRoute(
          self,
          endpoint,
          (payload, made) =>
            attempt(self, payload, (state, payload) => Identities.ldap(state, payload, made))
        )
      case "loginAwsAuth":
        return openRoute(
          self,
          endpoint,
          (payload, made) => attempt(self, payload, (state, payload) => Identities.aws(state, payload, made))
        )
      case "loginOciAuth":
        return openRoute(
          self,
          endpoint,
          (payload, made) => attempt(self, payload, (state, payload) => Identities.oci(state, payload, made))
        )
      case "loginAliCloudAuth":
        return openRoute(
          self,
          endpoint,
          (payload, made) => attempt(self, payload, (state, payload) => Identities.aliCloud(state, payload, made))
        )
      case "loginTlsCertificate":
        return openRoute(
          self,
          endpoint,
          (payload, made) => attempt(self, payload, (state, payload) => Identities.tlsCertificate(state, payload, made))
        )
      case "renewAccessToken":
        return openRoute(
          self,
          endpoint,
          (payload, made) => attempt(self, payload, (state, payload) => Identities.renew(state, payload, made))
        )
      case "revokeAccessToken":
        return openRoute(self, endpoint, (payload, { now }) =>
          attempt(self, payload, (state, payload) =>
            Identities.revoke(state, payload, now)))
    }
  })

const byJwt = (self: EmulatorState.Service, method: Identities.JwtMethod) =>
(
  payload: Effect.Effect<typeof Wire.JwtLoginPayload.Type, Answer.Answer>,
  made: { readonly id: string; readonly now: number }
) => attempt(self, payload, (state, payload) => Identities.jwt(method)(state, payload, made))

/** Changes the state in any case: of what is refused, too, something may remain. */
const attempt = <Payload>(
  self: EmulatorState.Service,
  payload: Effect.Effect<Payload, Answer.Answer>,
  f: (
    state: EmulatorState.State,
    payload: Payload
  ) => readonly [outcome: Either.Either<Answer.Answer, Answer.Answer>, state: EmulatorState.State]
): Effect.Effect<Answer.Answer, Answer.Answer> =>
  Effect.flatMap(payload, (payload) => Effect.flatten(Ref.modify(self.state, (state) => f(state, payload))))
