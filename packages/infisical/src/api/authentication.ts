/** The calls of machine identities: `/api/v1/auth`. */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Login } from "../config/Credential.js"
import { defined } from "../support/defined.js"
import { once } from "../support/once.js"
import type { Call, ReadCallError } from "./call.js"
import { httpClient } from "./transport.js"
import * as Wire from "./Wire.js"

/**
 * The calls of machine identities.
 *
 * @since 0.1.0
 * @category models
 */
export interface Authentication {
  /** `POST /api/v1/auth/<method>/login`. */
  readonly login: (login: Login) => Effect.Effect<Wire.AccessTokenAnswer, ReadCallError>
  /** `POST /api/v1/auth/token/renew`. */
  readonly renew: (accessToken: Redacted.Redacted<string>) => Effect.Effect<Wire.AccessTokenAnswer, ReadCallError>
  /** `POST /api/v1/auth/token/revoke`. */
  readonly revoke: (accessToken: Redacted.Redacted<string>) => Effect.Effect<void, ReadCallError>
}

const client = once(HttpApiClient.group(Wire.api, { group: "authentication", httpClient }))

export const make = (call: Call): Authentication => ({
  login: (login) =>
    call.read({ endpoint: `POST /api/v1/auth/${login.method}/login`, action: undefined }, loginRequest(login)),
  renew: (accessToken) =>
    call.read(
      { endpoint: "POST /api/v1/auth/token/renew", action: undefined },
      Effect.flatMap(
        client,
        (client) => client.renewAccessToken({ payload: { accessToken: Redacted.value(accessToken) } })
      )
    ),
  revoke: (accessToken) =>
    Effect.asVoid(call.read(
      { endpoint: "POST /api/v1/auth/token/revoke", action: undefined },
      Effect.flatMap(
        client,
        (client) => client.revokeAccessToken({ payload: { accessToken: Redacted.value(accessToken) } })
      )
    ))
})

const loginRequest = (login: Login) =>
  Effect.flatMap(client, (client) => {
    const organization = defined({ organizationSlug: login.organizationSlug })
    if (login.method === "universal-auth") {
      const { clientId, clientSecret } = login
      return client.loginUniversalAuth({
        payload: { clientId, clientSecret: Redacted.value(clientSecret), ...organization }
      })
    }
    const identity = { identityId: login.identityId, ...organization }
    switch (login.method) {
      case "ldap-auth":
        return client.loginLdapAuth({
          payload: { ...identity, username: login.username, password: Redacted.value(login.password) }
        })
      case "aws-auth":
        return client.loginAwsAuth({
          payload: {
            ...identity,
            iamHttpRequestMethod: login.iamHttpRequestMethod,
            iamRequestBody: login.iamRequestBody,
            iamRequestHeaders: Redacted.value(login.iamRequestHeaders)
          }
        })
      case "oci-auth":
        return client.loginOciAuth({
          payload: {
            ...identity,
            userOcid: login.userOcid,
            headers: { authorization: Redacted.value(login.authorization), host: login.host, date: login.date }
          }
        })
      case "alicloud-auth":
        return client.loginAliCloudAuth({
          payload: {
            ...identity,
            Action: "GetCallerIdentity",
            Format: "JSON",
            Version: login.version,
            AccessKeyId: login.accessKeyId,
            SignatureMethod: "HMAC-SHA1",
            Timestamp: login.timestamp,
            SignatureVersion: "1.0",
            SignatureNonce: login.signatureNonce,
            ...login.securityToken !== undefined && { SecurityToken: Redacted.value(login.securityToken) },
            Signature: Redacted.value(login.signature)
          }
        })
      case "tls-cert-auth":
        return client.loginTlsCertificate({ payload: identity })
    }
    const payload = { ...identity, jwt: Redacted.value(login.jwt) }
    switch (login.method) {
      case "kubernetes-auth":
        return client.loginKubernetesAuth({ payload })
      case "gcp-auth":
        return client.loginGcpAuth({ payload })
      case "azure-auth":
        return client.loginAzureAuth({ payload })
      case "oidc-auth":
        return client.loginOidcAuth({ payload })
      case "jwt-auth":
        return client.loginJwtAuth({ payload })
      case "spiffe-auth":
        return client.loginSpiffeAuth({ payload })
    }
  })
