// An MCP server that wants tokens of an authorization server that we did not write (panva's oidc-provider): both in one process, at one host.
//
//   node protected.mjs     environment: NODE_MODULES
//
// Prints one line of JSON when it answers: {"issuer","resource"}. Clients register themselves, PKCE is required, refresh tokens rotate, and whoever
// spends one twice loses all that came of it. Whoever comes is let in without a page.
//
//   POST /control {"forget"}    access tokens that are out are good no more
//   GET  /control               how many requests there were, by path, and how many grants were ended because a refresh token came back
import { createServer } from "node:http"
import { generateKeyPairSync } from "node:crypto"
import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

const require = createRequire(join(process.env.NODE_MODULES, "x"))
const { default: Provider, errors } = await import(pathToFileURL(require.resolve("oidc-provider")).href)

let answer = null
const server = createServer((request, response) => answer(request, response))
await new Promise((ready) => server.listen(0, "127.0.0.1", ready))
const issuer = `http://127.0.0.1:${server.address().port}`
const resource = `${issuer}/mcp`
const metadata = `${issuer}/.well-known/oauth-protected-resource/mcp`
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" })
const state = { counts: {}, ended: 0, last: null, forgotten: null }

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...key, kid: "known", alg: "RS256", use: "sig" }] },
  cookies: { keys: ["a key of the cookies of tests"] },
  scopes: ["openid", "offline_access"],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: (_, client, code) => client.grantTypeAllowed("refresh_token") && code.scopes.has("offline_access"),
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, indicator) => {
        if (indicator !== resource) throw new errors.InvalidTarget()
        return { scope: "tools", accessTokenFormat: "opaque", accessTokenTTL: 600 }
      },
    },
  },
  interactions: { url: (_, interaction) => `/come-in/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  loadExistingGrant: async (context) => {
    const grant = new context.oidc.provider.Grant({ clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId })
    grant.addOIDCScope("openid offline_access")
    grant.addResourceScope(resource, "tools")
    await grant.save()
    return grant
  },
})
provider.on("grant.revoked", () => (state.ended += 1))

/** Whether a token is good for this server, and was given out after the last ones were forgotten. */
const good = async (header) => {
  const found = header?.startsWith("Bearer ") && (await provider.AccessToken.find(header.slice(7)))
  return found && !found.isExpired && [found.aud].flat().includes(resource) && found.scope.split(" ").includes("tools") && found.jti !== state.forgotten
}

const rest = provider.callback()
const read = async (request) => JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString() || "{}")
answer = async (request, response) => {
  const { pathname } = new URL(request.url, issuer)
  const tell = (status, value, headers = {}) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value))
  if (pathname === "/control") {
    if (request.method === "POST") state.forgotten = state.last
    return tell(200, { counts: state.counts, ended: state.ended })
  }
  state.counts[pathname] = (state.counts[pathname] ?? 0) + 1
  if (pathname === "/.well-known/oauth-protected-resource/mcp") {
    return tell(200, { resource, authorization_servers: [issuer], scopes_supported: ["tools"] })
  }
  if (pathname === "/mcp") {
    const { authorization } = request.headers
    if (!(await good(authorization))) {
      return tell(401, {}, { "www-authenticate": `Bearer resource_metadata="${metadata}", scope="tools"` })
    }
    state.last = (await provider.AccessToken.find(authorization.slice(7))).jti
    const { id } = await read(request)
    return tell(200, { jsonrpc: "2.0", id, result: { content: [] } })
  }
  if (pathname.startsWith("/come-in/")) {
    return provider.interactionFinished(request, response, { login: { accountId: "ann" }, consent: {} })
  }
  rest(request, response)
}
console.log(JSON.stringify({ issuer, resource }))
