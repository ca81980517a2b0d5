'use strict'

// An LTI 1.3 tool made with ltijs, on PostgreSQL, that redirects each launch to an external address. The first
// process makes the tables and registers the platform; then as many as WORKERS says serve.

const cluster = require('cluster')
const fs = require('fs')
const { Client } = require('pg')
const Database = require('ltijs-sequelize')
const lti = require('ltijs').Provider
const platform = require('./platform.js')

// ltijs writes its tables into the schema public, so it gets a database of its own.
const DATABASE = 'peer_ltijs'
const WORKERS = Number(process.env.WORKERS || 2)
// The connections of all processes together, as many as Tomcat has.
const CONNECTIONS = 16

function database () {
  const url = new URL(process.env.DATABASE_URL)
  return new Database(DATABASE, decodeURIComponent(url.username), decodeURIComponent(url.password), {
    dialect: 'postgres',
    host: url.searchParams.get('host') || url.hostname,
    port: url.port || 5432,
    logging: false,
    pool: { min: 0, max: Math.ceil(CONNECTIONS / WORKERS) }
  })
}

async function deploy () {
  lti.setup('a key to sign cookies and ltiks with', { plugin: database() }, {
    cookies: { secure: true, sameSite: 'None' },
    devMode: false,
    // The launch is handed to onConnect at once. Without it ltijs sends the browser to itself first, and
    // answers that second request from its database.
    ltiaas: true,
    // Launches are made before they are measured; ltijs takes them for ten seconds by default.
    tokenMaxAge: 600
  })
  lti.whitelist('/ready')
  lti.app.get('/ready', (request, response) => response.sendStatus(200))
  lti.onConnect((token, request, response) => {
    const address = new URL('https://lms.example.org/mod/quiz/view.php')
    address.searchParams.set('id', token.platformContext.custom.quiz)
    address.searchParams.set('un', token.user)
    return response.redirect(address.href)
  })
  await lti.deploy({ serverless: true, silent: true })
}

async function prepare () {
  const client = new Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  const there = await client.query('select from pg_database where datname = $1', [DATABASE])
  if (there.rowCount === 0) await client.query(`create database ${DATABASE}`)
  await client.end()
  await deploy()
  const authConfig = { method: 'RSA_KEY', key: fs.readFileSync(process.env.PLATFORM_KEY_FILE, 'utf8') }
  const registered = await lti.getPlatform(platform.url, platform.clientId)
  if (registered) return registered.platformAuthConfig(authConfig.method, authConfig.key)
  await lti.registerPlatform({
    url: platform.url,
    name: 'A platform',
    clientId: platform.clientId,
    authenticationEndpoint: `${platform.url}/auth`,
    accesstokenEndpoint: `${platform.url}/token`,
    authConfig
  })
}

async function main () {
  // The tables' migrations tell their steps.
  console.info = () => {}
  if (cluster.isPrimary) {
    await prepare()
    for (let worker = 0; worker < WORKERS; worker++) cluster.fork()
    cluster.on('exit', () => process.exit(1))
    process.on('SIGTERM', () => process.exit(0))
  } else {
    await deploy()
    lti.app.listen(Number(process.argv[2]), '127.0.0.1')
  }
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
