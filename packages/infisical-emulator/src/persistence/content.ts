/** What is in the file of a state: its schemas. */
import { Wire } from "effect-infisical"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as EmulatorState from "../state/EmulatorState.js"
import * as World from "../world/World.js"

// What JSON can say as it is: written without a look at each field, since a folder can hold many thousands, and checked
// when it is read, where what is not known here stays as it was written.
const plain = <A>(schema: Schema.Schema<A>) =>
  Schema.declare([], {
    decode: () => (input, options) =>
      ParseResult.decodeUnknown(schema)(input, { ...options, onExcessProperty: "preserve" }),
    encode: () => ParseResult.succeed
  })

const SecretRow = Schema.Struct({
  id: Schema.String,
  version: Schema.Number,
  type: Wire.SecretType,
  secretKeyCiphertext: Schema.String,
  secretKeyIV: Schema.String,
  secretKeyTag: Schema.String,
  secretValueCiphertext: Schema.String,
  secretValueIV: Schema.String,
  secretValueTag: Schema.String,
  secretCommentCiphertext: Schema.NullOr(Schema.String),
  secretCommentIV: Schema.NullOr(Schema.String),
  secretCommentTag: Schema.NullOr(Schema.String),
  secretReminderNote: Schema.NullOr(Schema.String),
  secretReminderRepeatDays: Schema.NullOr(Schema.Number),
  skipMultilineEncoding: Schema.Boolean,
  algorithm: Schema.Literal("aes-256-gcm"),
  keyEncoding: Schema.Literal("utf8"),
  metadata: Schema.Null,
  userId: Schema.NullOr(Schema.String),
  folderId: Schema.String,
  createdAt: Schema.String,
  updatedAt: Schema.String
})

const Secret = Schema.Struct({
  name: Schema.String,
  row: SecretRow,
  tagIds: Schema.Array(Schema.String),
  metadata: Schema.Record({ key: Schema.String, value: Schema.String }),
  earlier: Schema.Array(Schema.Struct({ name: Schema.String, row: SecretRow }))
})

const Folder = Schema.Struct({
  id: Schema.String,
  version: Schema.Number,
  environment: Schema.String,
  path: Schema.String,
  secrets: plain(Schema.Array(Secret)),
  deleted: plain(Schema.Array(Secret)),
  imports: Schema.Array(Schema.Struct({
    ...World.Import.fields,
    id: Schema.String,
    createdAt: Schema.String,
    updatedAt: Schema.String
  })),
  createdAt: Schema.String,
  updatedAt: Schema.String
})

const Project = Schema.Struct({
  id: Schema.String,
  slug: Schema.String,
  endToEndEncrypted: Schema.Boolean,
  engine: World.Engine,
  tags: Schema.Array(
    Schema.Struct({ id: Schema.String, slug: Schema.String, name: Schema.String, color: Schema.String })
  ),
  key: Schema.Redacted(Schema.String),
  environments: Schema.Array(Schema.String),
  environmentIds: Schema.Record({ key: Schema.String, value: Schema.String }),
  folders: Schema.HashMap({ key: Schema.String, value: Folder })
})

const ServiceToken = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  secret: Schema.Redacted(Schema.String),
  projectId: Schema.String,
  scopes: Schema.Array(World.Scope),
  permissions: Schema.Array(World.Permission),
  expiresAt: Schema.OptionFromNullOr(Schema.Number),
  createdAt: Schema.Number,
  lastUsed: Schema.Number,
  projectKey: Schema.Union(
    Schema.Struct({
      version: Schema.Literal("v2"),
      sealed: Schema.Struct({ ciphertext: Schema.String, iv: Schema.String, tag: Schema.String })
    }),
    Schema.Struct({
      version: Schema.Literal("v3"),
      box: Schema.Struct({ ciphertext: Schema.String, nonce: Schema.String }),
      publicKey: Schema.String
    })
  )
})

const User = Schema.Struct({
  id: Schema.String,
  email: Schema.String,
  jwt: Schema.Redacted(Schema.String),
  createdAt: Schema.Number
})

const Identity = Schema.Struct({
  id: Schema.String,
  clientId: Schema.String,
  clientSecret: Schema.Redacted(Schema.String),
  clientSecretId: Schema.String,
  roles: Schema.Record({ key: Schema.String, value: World.Role }),
  scopes: Schema.OptionFromNullOr(Schema.Array(World.Scope)),
  readableNames: Schema.OptionFromNullOr(Schema.Array(Schema.String)),
  hidesValues: Schema.Boolean,
  accessTokenTTL: Schema.Number,
  accessTokenMaxTTL: Schema.Number,
  accessTokenNumUsesLimit: Schema.Number,
  acceptedJwts: Schema.OptionFromNullOr(Schema.Array(Schema.Redacted(Schema.String))),
  ldap: Schema.OptionFromNullOr(
    Schema.Struct({ username: Schema.String, password: Schema.Redacted(Schema.String) })
  ),
  methods: Schema.OptionFromNullOr(Schema.Array(Schema.String)),
  clientSecretNumUsesLimit: Schema.Number,
  clientSecretUses: Schema.Number,
  clientSecretRevoked: Schema.Boolean,
  clientSecretExpiresAt: Schema.OptionFromNullOr(Schema.Number),
  refusedAt: Schema.Array(Schema.Number),
  lockedUntil: Schema.Number
})

const AccessToken = Schema.Struct({
  jwt: Schema.Redacted(Schema.String),
  identityId: Schema.String,
  mintedAt: Schema.Number,
  renewedAt: Schema.Number,
  endsAt: Schema.OptionFromNullOr(Schema.Number),
  uses: Schema.Number
})

const State = Schema.Struct({
  projects: Schema.HashMap({ key: Schema.String, value: Project }),
  serviceTokens: Schema.HashMap({ key: Schema.String, value: ServiceToken }),
  users: Schema.Array(User),
  identities: Schema.Array(Identity),
  accessTokens: Schema.Array(AccessToken),
  approvalPolicies: Schema.Array(World.ApprovalPolicy),
  rateLimit: Schema.OptionFromNullOr(
    Schema.Struct({
      limit: Schema.Number,
      window: Schema.Number,
      routes: Schema.Record({ key: Schema.String, value: Schema.Number })
    })
  ),
  era: World.Era,
  jwtSecret: Schema.Redacted(Schema.String),
  owner: User,
  admitsServiceTokenV3: Schema.Boolean
})

const named = <A, I>(value: Schema.Schema<A, I>) => Schema.Record({ key: Schema.String, value })

const Resolved = Schema.Struct({
  projects: named(Schema.Struct({
    id: Schema.String,
    slug: Schema.String,
    key: Schema.Redacted(Schema.String),
    environments: Schema.Array(Schema.String)
  })),
  serviceTokens: named(Schema.Redacted(Schema.String)),
  users: named(Schema.Struct({ id: Schema.String, email: Schema.String, jwt: Schema.Redacted(Schema.String) })),
  identities: named(
    Schema.Struct({ id: Schema.String, clientId: Schema.String, clientSecret: Schema.Redacted(Schema.String) })
  )
})

/**
 * What is in the file: the state, and what the description of the world became in it. A later form of it has another
 * version.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Content = Schema.Struct({ version: Schema.Literal(1), state: State, world: Resolved })

/**
 * A state, and what the description of the world became in it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Content {
  readonly version: 1
  readonly state: EmulatorState.State
  readonly world: World.Resolved
}
