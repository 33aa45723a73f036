/** Recorded exchanges as answers to calls of `InfisicalApi`: which call makes the request, and what it becomes. */
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { Effect, Exit, Layer, Option, Redacted, Schema } from "effect"
import { Credential, InfisicalApi, InfisicalConfig, type InfisicalError, Location } from "effect-infisical"
import { meaningOf } from "./meaning.js"
import type { Recording } from "./Recordings.js"

type CallError = InfisicalApi.WriteCallError | InfisicalError.AlreadyExistsError

type Call = (api: InfisicalApi.Service) => Effect.Effect<unknown, CallError>

/** What a recorded exchange becomes, or why no call of ours makes its request. */
export type Outcome =
  | { readonly _tag: "LeftOut"; readonly reason: string }
  | { readonly _tag: "Answer"; readonly summary: string }
  | { readonly _tag: "Failure"; readonly meaning: string; readonly error: CallError }
  | { readonly _tag: "Defect"; readonly problem: string }

export const outcomeOf = (recording: Recording): Effect.Effect<Outcome> => {
  const call = callOf(recording)
  return typeof call === "string"
    ? Effect.succeed({ _tag: "LeftOut", reason: call })
    : Effect.flatMap(InfisicalApi.InfisicalApi, call).pipe(
      Effect.provide(answering(recording)),
      Effect.exit,
      Effect.map(Exit.match({
        onSuccess: (answer): Outcome => ({ _tag: "Answer", summary: summaryOf(answer) }),
        onFailure: (cause): Outcome =>
          cause._tag !== "Fail"
            ? { _tag: "Defect", problem: cause._tag }
            : cause.error._tag === "InvalidCredentialError"
            ? { _tag: "Defect", problem: cause.error.message }
            : { _tag: "Failure", meaning: meaningOf(cause.error), error: cause.error }
      }))
    )
}

/** The API, with this recorded answer to every request. */
export const answering = ({ response }: Recording) =>
  InfisicalApi.layer().pipe(
    Layer.provide(InfisicalConfig.layer({
      credential: Credential.serviceToken(Redacted.make(`st.id.secret.${"0".repeat(32)}`)),
      retry: { times: 0 }
    })),
    Layer.provide(Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request) =>
        Effect.succeed(HttpClientResponse.fromWeb(
          request,
          new Response(response.status === 304 ? null : JSON.stringify(response.body), {
            status: response.status,
            headers: response.headers
          })
        ))
      )
    ))
  )

const summaryOf = (answer: unknown): string => {
  const inner = hasAnswer(answer) ? answer.answer : answer
  if (isNotModified(answer)) return "nothing new"
  if (Array.isArray(inner)) return `a list of ${inner.length}`
  if (!hasSecrets(inner)) return inner === undefined ? "done" : "an answer"
  return `${inner.secrets.length} secrets and ${inner.imports?.length ?? 0} imports`
}

const hasAnswer = Schema.is(Schema.TaggedStruct("Modified", { answer: Schema.Unknown }))

const isNotModified = Schema.is(Schema.TaggedStruct("NotModified", {}))

const hasSecrets = Schema.is(Schema.Struct({
  secrets: Schema.Array(Schema.Unknown),
  imports: Schema.optional(Schema.Array(Schema.Unknown))
}))

const text = Schema.optional(Schema.String)

/** What the bodies of recorded requests have that our calls take. */
const Body = Schema.Struct({
  workspaceId: text,
  projectId: text,
  environment: text,
  secretPath: text,
  path: text,
  name: text,
  newSecretName: text,
  type: text,
  isReplication: Schema.optional(Schema.Boolean),
  import: Schema.optional(Schema.Struct({ environment: text, path: text })),
  secrets: Schema.optional(Schema.Array(Schema.Struct({ secretKey: text, secretName: text })))
})

type Body = typeof Body.Type

const bodyOf = Schema.decodeUnknownOption(Body)

const accessToken = Redacted.make("st.id.secret")

const location = Effect.runSync(Location.make({ environment: "dev", secretPath: "/" }))

const encrypted = {
  secretKeyCiphertext: "",
  secretKeyIV: "",
  secretKeyTag: "",
  secretValueCiphertext: "",
  secretValueIV: "",
  secretValueTag: ""
}

const written = { secretValue: "value" }

type Request = NonNullable<Recording["request"]>

/** Exchanges without a request, which their names tell. */
const requests: Readonly<Record<string, Request>> = {
  "maintenance/get": { method: "GET", path: "/api/v3/secrets", headers: {} },
  "maintenance/post": { method: "POST", path: "/api/v3/secrets/NAME", headers: {} },
  "maintenance/login": { method: "POST", path: "/api/v1/auth/universal-auth/login", headers: {} }
}

/** A request with what the calls take from it. */
interface Exchange {
  readonly method: string
  readonly body: Body
  readonly etag: Option.Option<string>
  readonly place: InfisicalApi.Place
  readonly target: (name: string) => InfisicalApi.Target
  readonly names: ReadonlyArray<string>
}

/** The call of ours that makes this request, or why none does. */
const callOf = (recording: Recording): Call | string => {
  const request = recording.request ?? requests[recording.name]
  if (request === undefined) return "its request was not recorded"
  const noCall = `no call of ours requests ${request.method} ${request.path.split("?")[0]}`
  const segments = segmentsOf(request.path)
  if (segments === undefined) return "our calls encode what they put into a path"
  const [api, version, surface = "", ...rest] = segments
  if (api !== "api") return noCall
  if (rest.includes("")) return "no path of our calls has an empty part"
  const exchange = exchangeOf(request)
  if (Option.isSome(exchange.etag) && surface !== "secrets") return "our calls send an ETag with reads of secrets only"
  if (exchange.body.isReplication === true) return "our calls make no replicating imports"
  return routes[`${version}/${surface}`]?.(exchange, rest) ?? noCall
}

const segmentsOf = (path: string): ReadonlyArray<string> | undefined => {
  try {
    return (path.split("?")[0] ?? "").split("/").slice(1).map(decodeURIComponent)
  } catch {
    return undefined
  }
}

const exchangeOf = ({ body: sent, headers, method, path }: Request): Exchange => {
  const query = new URLSearchParams(path.split("?").slice(1).join("?"))
  const body = Option.getOrElse(bodyOf(sent), (): Body => ({}))
  const field = (name: "environment" | "path" | "secretPath" | "workspaceId" | "projectId") =>
    body[name] ?? query.get(name) ?? undefined
  const place: InfisicalApi.Place = {
    accessToken,
    projectId: field("workspaceId") ?? field("projectId") ?? "",
    location: {
      ...location,
      environment: field("environment") ?? "",
      secretPath: field("secretPath") ?? field("path") ?? "/"
    }
  }
  const type = (body.type ?? query.get("type")) === "personal" ? "personal" : "shared"
  return {
    method,
    body,
    etag: Option.fromNullable(headers["if-none-match"]),
    place,
    target: (name) => ({ ...place, name, type }),
    names: (body.secrets ?? []).map(({ secretKey, secretName }) => secretKey ?? secretName ?? "")
  }
}

type Route = (exchange: Exchange, rest: ReadonlyArray<string>) => Call | undefined

const folders: Route = ({ body, method, place }, [id]) => {
  const name = body.name ?? ""
  if (id === undefined) {
    return byMethod(method, {
      GET: ({ folders }) => folders.list(place),
      POST: ({ folders }) => folders.create(place, name)
    })
  }
  return byMethod(method, {
    PATCH: ({ folders }) => folders.rename(place, id, name),
    DELETE: ({ folders }) => folders.delete(place, id)
  })
}

const secretImports: Route = ({ body, method, place }, [id, more]) => {
  if (more !== undefined || id === "secrets") return undefined
  if (id !== undefined) {
    return byMethod(method, {
      PATCH: ({ secretImports }) => secretImports.update(place, id, {}),
      DELETE: ({ secretImports }) => secretImports.delete(place, id)
    })
  }
  const source = { environment: body.import?.environment ?? "", path: body.import?.path ?? "/" }
  return byMethod(method, {
    GET: ({ secretImports }) => secretImports.list(place),
    POST: ({ secretImports }) => secretImports.create(place, source)
  })
}

const identityId = "id"
const jwt = accessToken

const logins: Readonly<Record<string, Credential.Login>> = {
  "universal-auth": { method: "universal-auth", clientId: "id", clientSecret: accessToken },
  "ldap-auth": { method: "ldap-auth", identityId, username: "user", password: accessToken },
  "aws-auth": {
    method: "aws-auth",
    identityId,
    iamHttpRequestMethod: "POST",
    iamRequestBody: "",
    iamRequestHeaders: accessToken
  },
  "oci-auth": {
    method: "oci-auth",
    identityId,
    userOcid: "ocid1.user",
    host: "identity.eu-frankfurt-1.oraclecloud.com",
    date: "Tue, 24 Nov 2026 00:00:00 GMT",
    authorization: accessToken
  },
  "alicloud-auth": {
    method: "alicloud-auth",
    identityId,
    accessKeyId: "LTAI",
    version: "2015-04-01",
    timestamp: "2026-11-24T00:00:00Z",
    signatureNonce: "nonce",
    signature: accessToken
  },
  "tls-cert-auth": { method: "tls-cert-auth", identityId },
  "spiffe-auth": { method: "spiffe-auth", identityId, jwt },
  "kubernetes-auth": { method: "kubernetes-auth", identityId, jwt },
  "gcp-auth": { method: "gcp-auth", identityId, jwt },
  "azure-auth": { method: "azure-auth", identityId, jwt },
  "oidc-auth": { method: "oidc-auth", identityId, jwt },
  "jwt-auth": { method: "jwt-auth", identityId, jwt }
}

const authentication: Route = ({ method }, [kind = "", action = ""]) => {
  if (method !== "POST") return undefined
  const login = logins[kind]
  if (login !== undefined && action === "login") return ({ authentication }) => authentication.login(login)
  if (kind !== "token") return undefined
  return byMethod(action, {
    renew: ({ authentication }) => authentication.renew(accessToken),
    revoke: ({ authentication }) => authentication.revoke(accessToken)
  })
}

const encryptedSecrets: Route = ({ etag, method, names, place, target }, [name]) => {
  if (name === undefined) {
    return byMethod(method, { GET: ({ encryptedSecrets }) => encryptedSecrets.list(place, etag) })
  }
  if (name === "batch" && method !== "GET") {
    const secrets = names.map((secretName) => ({ secretName, ...encrypted }))
    return byMethod(method, {
      POST: ({ encryptedSecrets }) => encryptedSecrets.createMany(place, secrets),
      PATCH: ({ encryptedSecrets }) => encryptedSecrets.updateMany(place, secrets),
      DELETE: ({ encryptedSecrets }) => encryptedSecrets.deleteMany(place, names)
    })
  }
  const one = target(name)
  return byMethod(method, {
    GET: ({ encryptedSecrets }) => encryptedSecrets.get(one, etag),
    POST: ({ encryptedSecrets }) => encryptedSecrets.create(one, encrypted),
    PATCH: ({ encryptedSecrets }) => encryptedSecrets.update(one, encrypted),
    DELETE: ({ encryptedSecrets }) => encryptedSecrets.delete(one)
  })
}

type Routes = (api: InfisicalApi.Service) => InfisicalApi.RawSecrets

const decryptedBatch = (routes: Routes): Route => ({ method, names, place }) => {
  const secrets = names.map((secretKey) => ({ secretKey, written }))
  return byMethod(method, {
    POST: (api) => routes(api).createMany(place, secrets),
    PATCH: (api) => routes(api).updateMany(place, secrets),
    DELETE: (api) => routes(api).deleteMany(place, names)
  })
}

const decryptedSecrets = (routes: Routes): Route => ({ body, etag, method, place, target }, [name]) => {
  if (name === undefined) return byMethod(method, { GET: (api) => routes(api).list(place, etag) })
  const one = target(name)
  const { newSecretName } = body
  return byMethod(method, {
    GET: (api) => routes(api).get(one, etag),
    POST: (api) => routes(api).create(one, written),
    PATCH: (api) => routes(api).update(one, newSecretName === undefined ? written : { ...written, newSecretName }),
    DELETE: (api) => routes(api).delete(one)
  })
}

const v3Secrets: Route = (exchange, rest) => {
  const [first, second] = rest
  if (first === "raw") return decryptedSecrets(({ rawSecrets }) => rawSecrets)(exchange, rest.slice(1))
  if (first === "batch" && second === "raw") return decryptedBatch(({ rawSecrets }) => rawSecrets)(exchange, [])
  return rest.length > 1 ? undefined : encryptedSecrets(exchange, rest)
}

const v4Secrets: Route = (exchange, rest) =>
  rest[0] === "batch" && exchange.method !== "GET"
    ? decryptedBatch(({ secrets }) => secrets)(exchange, [])
    : rest.length > 1
    ? undefined
    : decryptedSecrets(({ secrets }) => secrets)(exchange, rest)

const routes: Readonly<Record<string, Route>> = {
  "v1/auth": authentication,
  "v1/folders": folders,
  "v1/secret-imports": secretImports,
  "v2/service-token": ({ method }) => byMethod(method, { GET: ({ serviceToken }) => serviceToken.get(accessToken) }),
  "v3/service-token": ({ method }) => byMethod(method, { GET: ({ serviceToken }) => serviceToken.getKey(accessToken) }),
  "v3/secrets": v3Secrets,
  "v4/secrets": v4Secrets
}

const byMethod = (method: string, calls: Readonly<Record<string, Call>>): Call | undefined => calls[method]
