import type { InfisicalConfig } from "effect-infisical"

/** The eras of servers that the emulator plays, from the oldest on. */
export const eras = ["2024-07", "2024-10", "2025", "2026"] as const

/** Whether a server of this era has the newest routes: v4 of secrets, v2 of folders and imports. */
export const hasNewestRoutes = (era: typeof eras[number]): boolean => era === "2025" || era === "2026"

/** The era of a server that has the routes of a source. */
export const eraOf = (source: InfisicalConfig.SourceKind) => source === "v4" ? "2026" as const : "2024-07" as const
