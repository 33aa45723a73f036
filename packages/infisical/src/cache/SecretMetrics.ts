/**
 * What is counted. Every metric can be read with Effect's `Metric`, and exported as all others are.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * Reads that were answered by a fresh snapshot, without I/O; counted with the next fetch.
 *
 * @since 0.1.0
 * @category metrics
 */
export const hits = Metric.counter("infisical_cache_hits", {
  description: "Reads answered by a fresh snapshot",
  incremental: true
})

/**
 * Reads that had to wait for the server.
 *
 * @since 0.1.0
 * @category metrics
 */
export const misses = Metric.counter("infisical_cache_misses", {
  description: "Reads that had to wait for the server",
  incremental: true
})

/**
 * Reads that were answered by a stale or sealed snapshot.
 *
 * @since 0.1.0
 * @category metrics
 */
export const stale = Metric.counter("infisical_stale_answers", {
  description: "Reads answered by a stale or sealed snapshot",
  incremental: true
})

/**
 * Fetches of a location, for whatever reason.
 *
 * @since 0.1.0
 * @category metrics
 */
export const refreshes = Metric.counter("infisical_refreshes", {
  description: "Fetches of a location",
  incremental: true
})

/**
 * Fetches of a location that failed, tagged with the error.
 *
 * @since 0.1.0
 * @category metrics
 */
export const refreshFailures = Metric.counter("infisical_refresh_failures", {
  description: "Fetches of a location that failed",
  incremental: true
})

/**
 * The age of the oldest snapshot, in seconds, as of the last fetch.
 *
 * @since 0.1.0
 * @category metrics
 */
export const oldestSnapshotAge = Metric.gauge("infisical_oldest_snapshot_age_seconds", {
  description: "The age of the oldest snapshot, in seconds"
})
