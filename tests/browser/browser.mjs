// A real browser in front of a running Sekisho: what people do, with mouse and keyboard, and what they see.
//
//   node browser.mjs SCENARIO     environment: URL, EMAIL, PASSWORD, CLIENT, RESOURCE, CHROMIUM, NODE_MODULES, SHOTS (a folder, or nothing)
//
// Prints one line of JSON: what happened. Whatever a page complains about in its console fails the scenario.
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { join } from "node:path"

const { URL: url, EMAIL: email, PASSWORD: password, CLIENT: client, RESOURCE: resource, SHOTS: shots } = process.env
const { chromium } = createRequire(join(process.env.NODE_MODULES, "x"))("playwright-core")

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"]
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: flags, timeout: 120_000 })
const complaints = []

// The client: a program on this computer that waits to be called back.
const called = []
const listener = createServer((request, answer) => {
  if (request.url.startsWith("/callback")) called.push(request.url)
  answer.writeHead(200, { "content-type": "text/html", "cache-control": "no-store" }).end("<title>back</title>back at the application")
})
await new Promise((ready) => listener.listen(0, "127.0.0.1", ready))
const callback = `http://127.0.0.1:${listener.address().port}/callback`

async function open(options = {}) {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 760, height: 800 }, ...options })
  context.setDefaultTimeout(90_000)
  const page = await context.newPage()
  page.on("console", (message) => {
    // The icon that a browser asks for by itself is not there, and refusals have a status of their own.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text())
  })
  page.on("pageerror", (error) => complaints.push(String(error)))
  return page
}

function request(more = {}) {
  const query = new URLSearchParams({
    response_type: "code", client_id: client, redirect_uri: callback, scope: "mcp:write", state: "s t&a=te",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256", resource, ...more,
  })
  return `${url}/oauth/authorize?${query}`
}

async function signIn(page, who = email) {
  await page.locator("#email").fill(who)
  await page.locator("#password").fill(password)
  await page.locator("button[type=submit]").click()
}

function back(page) {
  const here = new URL(page.url())
  return { at: here.origin + here.pathname, ...Object.fromEntries(here.searchParams) }
}

// Of the four looks two are kept as pictures; all four are measured.
async function shoot(page, name) {
  if (shots && !/dark-en|light-ja/.test(name)) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}

const scenarios = {
  async sign_in() {
    const page = await open()
    await page.goto(`${url}/account/grants`)
    await page.locator("#email").fill(email)
    await page.locator("#password").fill("wrong horse battery")
    await page.locator("button[type=submit]").click()
    const alert = await page.getByRole("alert").innerText()
    const described = await page.locator("#email").getAttribute("aria-describedby")
    await signIn(page)
    await page.waitForURL("**/account/grants")
    const heading = await page.locator("h1").innerText()
    const scripts = await page.evaluate(() => document.cookie)
    return { alert, described, heading, scripts }
  },

  async keyboard() {
    const page = await open()
    await page.goto(request())
    // The first field has the focus; the rest is reached by Tab alone.
    await page.keyboard.type(email)
    await page.keyboard.press("Tab")
    await page.keyboard.type(password)
    await page.keyboard.press("Enter")
    await page.waitForSelector("fieldset")
    const seen = []
    for (let at = 0; at < 12; at++) {
      await page.keyboard.press("Tab")
      seen.push(await page.evaluate(() => {
        const { activeElement: active } = document
        const style = getComputedStyle(active)
        return { what: active.name || active.innerText || active.tagName, outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 }
      }))
      if (seen.at(-1).what === "allow mcp:write") await page.keyboard.press("Space")
      if (seen.at(-1).what === "decision") break
    }
    await page.keyboard.press("Enter")
    await page.waitForURL(`${callback}**`)
    return { seen, back: back(page), labelled: true }
  },

  async consent() {
    const page = await open()
    await page.goto(request())
    await signIn(page)
    await page.waitForSelector("fieldset")
    const heading = await page.locator("h1").innerText()
    const warned = await page.getByRole("note").innerText()
    await page.getByLabel("Call every tool").uncheck()
    await page.getByRole("button", { name: "Allow" }).click()
    await page.waitForURL(`${callback}**`)
    return { heading, warned, back: back(page), called: called.length }
  },

  async denial() {
    const page = await open()
    await page.goto(request())
    await signIn(page)
    await page.getByRole("button", { name: "Deny" }).click()
    await page.waitForURL(`${callback}**`)
    return { back: back(page) }
  },

  async onboarding() {
    const page = await open()
    await page.goto(`${url}/sign-in`)
    await signIn(page)
    await page.waitForURL("**/welcome**")
    const heading = await page.locator("h1").innerText()
    const slug = await page.locator("dd").innerText()
    await page.setViewportSize({ width: 620, height: 420 })
    await shoot(page, "welcome")
    await page.getByRole("link", { name: "Continue" }).click()
    await page.waitForURL("**/account/grants")
    return { heading, slug }
  },

  async revoke() {
    const page = await open()
    await page.goto(request())
    await signIn(page)
    await page.getByRole("button", { name: "Allow" }).click()
    await page.waitForURL(`${callback}**`)
    await page.goto(`${url}/account/grants`)
    const before = await page.getByRole("button", { name: /^Take back/ }).count()
    await page.getByRole("button", { name: /^Take back/ }).click()
    await page.waitForURL("**/account/grants?done=revoked")
    const status = await page.getByRole("status").innerText()
    const after = await page.getByRole("button", { name: /^Take back/ }).count()
    return { before, after, status }
  },

  // With an account at a provider of another origin, which leads on through redirects of its own.
  async provider() {
    const page = await open()
    await page.goto(`${url}/sign-in`)
    await page.locator("#email").fill(email)
    await page.locator("#password").fill(password)
    await page.getByRole("button", { name: "Sign in", exact: true }).click()
    await page.waitForURL("**/account/grants")
    await page.getByRole("button", { name: "Link Acme ID" }).click()
    await page.waitForURL("**/account/grants?done=linked")
    const linked = await page.getByRole("status").innerText()
    const other = await open()
    await other.goto(request())
    await shoot(other, "sign-in-provider-light-en")
    await other.getByRole("button", { name: "Sign in with Acme ID" }).click()
    await other.waitForSelector("fieldset")
    const heading = await other.locator("h1").innerText()
    await other.getByRole("button", { name: "Allow" }).click()
    await other.waitForURL(`${callback}**`)
    return { linked, heading, back: back(other) }
  },

  // Another site frames our pages, and sends our forms from itself.
  async other_site() {
    const page = await open()
    await page.goto(`${url}/sign-in`)
    await signIn(page)
    await page.waitForURL("**/account/grants")
    await page.goto(callback.replace("127.0.0.1", "localhost")) // another site than ours
    const framed = await page.evaluate(async (address) => {
      const frame = document.createElement("iframe")
      frame.src = address
      document.body.append(frame)
      await new Promise((loaded) => { frame.onload = loaded; setTimeout(loaded, 5_000) })
      try { return frame.contentDocument ? "blank" : "blocked" } catch { return "blocked" }
    }, `${url}/account/grants`)
    const inside = page.frames().map((frame) => frame.url()).filter((address) => address.startsWith(url))
    complaints.length = 0 // that it is refused is said in the console
    await page.evaluate((address) => {
      const form = document.createElement("form")
      form.method = "post"
      form.action = address
      form.innerHTML = '<input name="session" value="all"><input name="csrf" value="x">'
      document.body.append(form)
      form.submit()
    }, `${url}/account/sessions/end`)
    await page.waitForURL("**/account/sessions/end")
    const heading = await page.locator("h1").innerText()
    const still = await page.goto(`${url}/account/grants`)
    return { framed, inside, heading, still: still.url().endsWith("/account/grants") }
  },

  async shots() {
    const looks = [["light-en", "light", "en-GB"], ["dark-en", "dark", "en-GB"], ["light-ja", "light", "ja-JP"], ["dark-ja", "dark", "ja-JP"]]
    const contrast = {}
    for (const [name, colorScheme, locale] of looks) {
      const page = await open({ colorScheme, locale, viewport: { width: 620, height: 560 } })
      await page.goto(request())
      await page.evaluate(() => document.activeElement.blur())
      await shoot(page, `sign-in-${name}`)
      await signIn(page)
      await page.waitForSelector("fieldset")
      await shoot(page, `consent-${name}`)
      contrast[name] = await page.evaluate(contrasts)
      await page.locator("button[value=allow]").click()
      await page.waitForURL(`${callback}**`)
      await page.setViewportSize({ width: 860, height: 560 })
      await page.goto(`${url}/account/grants`)
      await shoot(page, `account-${name}`)
      await page.goto(`${url}/oauth/authorize`)
      await shoot(page, `error-${name}`)
      // No page is wider than a telephone.
      await page.setViewportSize({ width: 320, height: 640 })
      for (const path of ["/account/grants", "/account/password", "/sign-out"]) {
        await page.goto(url + path)
        const wide = await page.evaluate(() => document.documentElement.scrollWidth)
        if (wide > 320) complaints.push(`${path} is ${wide} wide`)
      }
      await page.goto(request({ scope: "mcp:read mcp:write tool:a_very_long_name_of_a_tool_that_somebody_thought_of_on_a_rainy_day" }))
      const wide = await page.evaluate(() => document.documentElement.scrollWidth)
      if (wide > 320) complaints.push(`consent is ${wide} wide`)
      await page.context().close()
    }
    return { contrast }
  },
}

// The least contrast of text on the page (WCAG 2.2, 1.4.3).
function contrasts() {
  const channel = (value) => { const part = value / 255; return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4 }
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b)
  const rgb = (text) => text.match(/[\d.]+/g).map(Number)
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor)
      if (color.length === 3 || color[3] === 1) return color
    }
    return [255, 255, 255]
  }
  let least = 21
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
    if (!text || !element.offsetParent || element.className === "skip") continue
    const [one, other] = [light(rgb(getComputedStyle(element).color)), light(behind(element))]
    least = Math.min(least, (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05))
  }
  return Math.round(least * 10) / 10
}

try {
  const report = await scenarios[process.argv[2]]()
  if (complaints.length) throw new Error(`the browser complains: ${complaints.join("\n")}`)
  console.log(JSON.stringify({ ...report, callback }))
} finally {
  await browser.close()
  listener.close()
}
