// #region all
import { FetchHttpClient } from "@effect/platform"
import { Context, Effect, Layer } from "effect"
import { Infisical, type InfisicalConfig, Secrets } from "effect-infisical"

class BillingSecrets extends Context.Tag("BillingSecrets")<BillingSecrets, Secrets.Service>() {}
class MailSecrets extends Context.Tag("MailSecrets")<MailSecrets, Secrets.Service>() {}

const secretsOf = <Self>(tag: Context.Tag<Self, Secrets.Service>, options: InfisicalConfig.Options) =>
  Layer.effect(tag, Secrets.Secrets).pipe(
    Layer.provide(Infisical.layer(options)),
    Layer.provide(FetchHttpClient.layer)
  )

export const layer = (billing: InfisicalConfig.Options, mail: InfisicalConfig.Options) =>
  Layer.merge(secretsOf(BillingSecrets, billing), secretsOf(MailSecrets, mail))

export const program = Effect.gen(function*() {
  const stripeKey = yield* Effect.flatMap(BillingSecrets, (secrets) => secrets.get("STRIPE_KEY"))
  const password = yield* Effect.flatMap(MailSecrets, (secrets) => secrets.get("SMTP_PASSWORD"))
  return [stripeKey, password]
})
// #endregion all
