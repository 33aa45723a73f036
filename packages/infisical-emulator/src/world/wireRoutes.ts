/** Which routes are served, for what is to be said about one of them: one that does not exist would never be struck. */
import { Wire } from "effect-infisical"

interface Route {
  readonly method: string
  readonly path: string
}

const routes: ReadonlyArray<Route> = [
  { method: "GET", path: "/api/status" },
  { method: "GET", path: "/api/v1/folders/:id" },
  { method: "GET", path: "/api/v1/secret-imports/:id" },
  { method: "PATCH", path: "/api/v1/secret-imports/:id" },
  ...Object.values(Wire.api.groups).flatMap((group) => Object.values<Route>(group.endpoints))
]

/** Whether there is a route of this pattern, for this method or, where none is named, for any. */
export const isServed = (path: string, method?: string): boolean =>
  routes.some((route) =>
    // Whatever can be got can be asked for without its body.
    route.path === path && (method === undefined || route.method === (method === "HEAD" ? "GET" : method))
  )
