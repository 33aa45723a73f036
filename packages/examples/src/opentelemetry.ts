/**
 * Spans and metrics of the library, exported by OpenTelemetry. Without a collector they are printed.
 *
 *     npm run example -- opentelemetry
 *     OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 npm run example -- opentelemetry
 *
 * Each request and each refresh is a span; a read from the cache is none. The metrics count hits, misses, stale answers,
 * refreshes and failures, and give the age of the oldest snapshot. No name of them, no attribute and no exit has a value.
 */
import { NodeSdk } from "@effect/opentelemetry"
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { ConsoleMetricExporter, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics"
import { BatchSpanProcessor, ConsoleSpanExporter } from "@opentelemetry/sdk-trace-base"
import { Config, Effect, Layer, Option } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"

const exporters = Option.match({
  onNone: () => ({ spans: new ConsoleSpanExporter(), metrics: new ConsoleMetricExporter() }),
  onSome: (endpoint: string) => ({
    spans: new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }),
    metrics: new OTLPMetricExporter({ url: `${endpoint}/v1/metrics` })
  })
})

const TelemetryLive = NodeSdk.layer(Effect.gen(function*() {
  const { metrics, spans } = exporters(yield* Config.option(Config.string("OTEL_EXPORTER_OTLP_ENDPOINT")))
  return {
    resource: { serviceName: "example" },
    spanProcessor: new BatchSpanProcessor(spans),
    metricReader: new PeriodicExportingMetricReader({ exporter: metrics })
  }
}))

const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  // One request: the second read is answered from memory.
  yield* Effect.repeatN(secrets.get("DATABASE_URL"), 1)
  yield* secrets.refresh()
  const missing = yield* Effect.either(secrets.get("MISSING"))
  yield* Effect.annotateCurrentSpan("missing", missing._tag)
}).pipe(Effect.withSpan("read secrets"))

const InfisicalLive = NodeInfisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))

/** The telemetry is below the client, so that it is closed last, and exports what the client does at its end. */
export const main = Effect.provide(program, Layer.provideMerge(InfisicalLive, TelemetryLive))

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
