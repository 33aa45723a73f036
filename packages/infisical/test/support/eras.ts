/** The eras of servers that the emulator plays, from the oldest on. */
export const eras = ["2024-07", "2024-10", "2025", "2026"] as const

/** Whether a server of this era has the newest routes: v4 of secrets, v2 of folders and imports. */
export const hasNewestRoutes = (era: typeof eras[number]): boolean => era === "2025" || era === "2026"
