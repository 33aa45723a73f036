/** The eras of servers that the emulator plays, from the oldest on. */
export const eras = ["2024-07", "2024-10", "2025", "2026"] as const

/** Whether a server of this era has v2 of the routes of folders and imports. */
export const hasV2 = (era: typeof eras[number]): boolean => era === "2025" || era === "2026"
