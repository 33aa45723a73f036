/** What tells a server of July 2024 from one of today: its routes, and the statuses and words of its refusals. */
import type * as World from "../world/World.js"
import type * as Answer from "./Answer.js"

/**
 * Whether a server of this era has a route. Every login is served in both: in which order they came to Infisical is not
 * recorded, and who tests one need not know.
 */
export const hasRoute = (era: World.Era, path: string): boolean =>
  era === "current" ||
  !["/api/v4/", "/api/v2/folders", "/api/v2/secret-imports"].some((prefix) => path.startsWith(prefix))

/** The answer in the words of this era. Servers of today name each refusal. */
export const inWordsOf = (
  era: World.Era,
  answer: Answer.Answer,
  requestId: string
): Pick<Answer.Answer, "status" | "body"> => {
  if (era === "2024-07") return answer
  const { body, status } = answer.current ?? answer
  return status < 400 || typeof body !== "object" ? { status, body } : { status, body: { reqId: requestId, ...body } }
}
