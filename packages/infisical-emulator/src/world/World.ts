/**
 * A plain description of what an emulator holds when it starts: projects with their folders and secrets in plain text,
 * service tokens, users. Everything has a default, so that `{ secrets: { NAME: "value" } }` is a world.
 *
 * Ids, keys and tokens may be given, for a world that has to be the same every time; those that are not are generated.
 *
 * @since 0.1.0
 */
export { decode, mainName, type Membership, membershipsOf, projectOf } from "./decode.js"
export * from "./mistakes.js"
export * from "./paths.js"
export * from "./resolved.js"
export {
  ApprovalPolicy,
  Engine,
  Era,
  Folder,
  Identity,
  Import,
  type Input,
  Permission,
  Project,
  RateLimit,
  Role,
  Scope,
  Secret,
  ServiceToken,
  Tag,
  User,
  World
} from "./schemas.js"
