/** A client on a source that a test writes as one function. */
import { Effect, Layer, Option } from "effect"
import { InfisicalConfig, type Location, SealedSnapshots, SecretCache, Secrets, SecretSource } from "effect-infisical"
import { InfisicalError } from "effect-infisical"
import { content } from "./snapshots.js"

export type Fetch = (
  location: Location.Location
) => Effect.Effect<Readonly<Record<string, string>> | SecretSource.FetchResult, InfisicalError.ReadError>

export const fetched = (
  values: Readonly<Record<string, string>>,
  rateLimit: SecretSource.FetchResult["rateLimit"] = Option.none()
): SecretSource.FetchResult => ({ content: content(values), etag: Option.none(), rateLimit })

const isResult = (
  answer: Readonly<Record<string, string>> | SecretSource.FetchResult
): answer is SecretSource.FetchResult => "rateLimit" in answer && typeof answer.rateLimit !== "string"

export const client = (
  fetch: Fetch,
  options: Omit<InfisicalConfig.Options, "credential"> = {},
  {
    sealed = {},
    source = {}
  }: { readonly sealed?: Partial<SealedSnapshots.Service>; readonly source?: Partial<SecretSource.Service> } = {}
) => {
  const not = () => Effect.dieMessage("not in these tests")
  const service: SecretSource.Service = {
    expandsReferences: false,
    readsByName: false,
    fetch: (location) => Effect.map(fetch(location), (answer) => isResult(answer) ? answer : fetched(answer)),
    create: not,
    update: not,
    upsert: not,
    delete: not,
    createMany: not,
    updateMany: not,
    deleteMany: not,
    getById: not,
    move: not,
    ...source
  }
  return Secrets.layer().pipe(
    Layer.provideMerge(SecretCache.layer()),
    Layer.provide(Layer.effect(
      SealedSnapshots.SealedSnapshots,
      Effect.map(SealedSnapshots.SealedSnapshots, (disabled) => ({ ...disabled, ...sealed }))
    )),
    Layer.provide(SealedSnapshots.layerDisabled),
    Layer.provide(Layer.succeed(SecretSource.SecretSource, service)),
    Layer.provide(InfisicalConfig.layerTest(options))
  )
}

export const unreachable = new InfisicalError.NetworkError({
  reason: "Transport",
  endpoint: "GET /",
  mayHaveBeenApplied: false
})
