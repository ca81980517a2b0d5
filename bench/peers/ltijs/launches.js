'use strict'

// Prints launches as JSON lines. For each the tool's login is asked for real, so that state cookie and nonce are
// the tool's; the id_token is signed with the platform's key. Good for ten minutes.

const fs = require('fs')
const http = require('http')
const jwt = require('jsonwebtoken')
const platform = require('./platform.js')

const CLAIM = 'https://purl.imsglobal.org/spec/lti/claim'
const USERS = 5000
const QUIZZES = 1000
const key = fs.readFileSync(process.env.PLATFORM_KEY_FILE, 'utf8')
const agent = new http.Agent({ keepAlive: true })

function login (base, user) {
  const query = new URLSearchParams({
    iss: platform.url,
    client_id: platform.clientId,
    login_hint: user,
    target_link_uri: 'https://tool.example.org/'
  })
  return new Promise((resolve, reject) => {
    http.get(`${base}/login?${query}`, { agent }, response => {
      response.resume()
      if (response.statusCode !== 302) return reject(new Error(`the login answered ${response.statusCode}`))
      const asked = new URL(response.headers.location).searchParams
      const cookie = response.headers['set-cookie'].map(one => one.split(';')[0]).join('; ')
      response.on('end', () => resolve({ state: asked.get('state'), nonce: asked.get('nonce'), cookie }))
    }).on('error', reject)
  })
}

function idToken (user, quiz, nonce) {
  const now = Math.floor(Date.now() / 1000)
  return jwt.sign({
    iss: platform.url,
    aud: platform.clientId,
    sub: user,
    iat: now,
    exp: now + 900,
    nonce,
    name: 'Anna Learner',
    given_name: 'Anna',
    family_name: 'Learner',
    email: `${user}@example.org`,
    [`${CLAIM}/message_type`]: 'LtiResourceLinkRequest',
    [`${CLAIM}/version`]: '1.3.0',
    [`${CLAIM}/deployment_id`]: platform.deploymentId,
    [`${CLAIM}/target_link_uri`]: 'https://tool.example.org/',
    [`${CLAIM}/roles`]: ['http://purl.imsglobal.org/vocab/lis/v2/membership#Learner'],
    [`${CLAIM}/resource_link`]: { id: `link${quiz}`, title: 'A quiz' },
    [`${CLAIM}/context`]: { id: `course${quiz % 100}`, label: 'C', title: 'A course' },
    [`${CLAIM}/custom`]: { quiz: String(quiz) }
  }, key, { algorithm: 'RS256', keyid: platform.keyId })
}

async function main () {
  const [count, base] = [Number(process.argv[2]), process.argv[3].replace(/\/$/, '')]
  for (let number = 0; number < count; number++) {
    const user = `learner${number % USERS}`
    const { state, nonce, cookie } = await login(base, user)
    const body = new URLSearchParams({ id_token: idToken(user, number % QUIZZES, nonce), state }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded', cookie }
    process.stdout.write(JSON.stringify({ method: 'POST', path: '/', headers, body }) + '\n')
  }
  agent.destroy()
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
