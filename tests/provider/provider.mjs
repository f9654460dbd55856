// An OpenID Connect provider that we did not write (panva's oidc-provider), as a process of its own.
//
//   node provider.mjs PORT CALLBACK     environment: NODE_MODULES, KEYS (those of before). Port 0 picks a free port
//
// Prints one line of JSON when it answers: {"issuer","keys"}. Whoever comes is signed in as the person that the tests named last, without a page.
//
//   POST /control {"who","fails","holds","token","header"}    who comes next, nobody who says no; whether every request is answered 503, or those to one path, or none until
//                                                             it no longer holds; what of ID tokens is changed before they are signed again with its own key
//   GET  /control                                             how many requests there were, by path
import { createServer } from "node:http"
import { generateKeyPairSync } from "node:crypto"
import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

const require = createRequire(join(process.env.NODE_MODULES, "x"))
const load = (name) => import(pathToFileURL(require.resolve(name)).href)
const { default: Provider } = await load("oidc-provider")
const { SignJWT, decodeJwt, importJWK } = await load("jose")

const [, , port, callback] = process.argv
const jwk = (kid) => ({ ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig" })
const { known, unknown } = process.env.KEYS ? JSON.parse(process.env.KEYS) : { known: jwk("known"), unknown: jwk("unknown") }
const state = { who: "ann", fails: false, holds: false, token: null, header: null }
const counts = {}

let answer = null
const server = createServer((request, response) => answer(request, response))
await new Promise((ready) => server.listen(Number(port), "127.0.0.1", ready))
const issuer = `http://127.0.0.1:${server.address().port}`

const provider = new Provider(issuer, {
  clients: [{ client_id: "sekisho", client_secret: "a client secret of tests", redirect_uris: [callback] }],
  jwks: { keys: [known] },
  cookies: { keys: ["a key of the cookies of tests"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false,
  scopes: ["openid", "email", "profile"],
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/come-in/${interaction.uid}` },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: !id.startsWith("unverified"), name: id }),
  }),
  loadExistingGrant: async (context) => {
    const grant = new context.oidc.provider.Grant({ clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId })
    grant.addOIDCScope("openid email profile")
    await grant.save()
    return grant
  },
})

// The next token answers, changed as the tests ask.
provider.use(async (context, next) => {
  await next()
  if (context.path !== "/token" || !context.body?.id_token || !(state.token || state.header)) return
  const key = state.header?.kid === "unknown" ? unknown : known
  const claims = { ...decodeJwt(context.body.id_token), ...state.token }
  const header = { alg: "RS256", kid: "known", ...state.header }
  if (header.alg === "none") {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url")
    context.body.id_token = `${part(header)}.${part(claims)}.`
  } else if (header.alg === "HS256") {
    context.body.id_token = await new SignJWT(claims).setProtectedHeader(header).sign(new TextEncoder().encode("a client secret of tests"))
  } else {
    context.body.id_token = await new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(key, "RS256"))
  }
})

const rest = provider.callback()
const read = async (request) => JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString() || "{}")
answer = async (request, response) => {
  const { pathname } = new URL(request.url, issuer)
  const tell = (status, value) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value))
  if (pathname === "/control") {
    if (request.method === "POST") Object.assign(state, await read(request))
    return tell(200, counts)
  }
  counts[pathname] = (counts[pathname] ?? 0) + 1
  while (state.holds) await new Promise((ready) => setTimeout(ready, 20))
  if (state.fails === true || state.fails === pathname) return tell(503, { error: "temporarily_unavailable" })
  if (pathname.startsWith("/come-in/")) {
    if (state.who === null) return provider.interactionFinished(request, response, { error: "access_denied", error_description: "not me" })
    return provider.interactionFinished(request, response, { login: { accountId: state.who } })
  }
  rest(request, response)
}
console.log(JSON.stringify({ issuer, keys: JSON.stringify({ known, unknown }) }))
