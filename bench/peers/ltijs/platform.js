'use strict'

// Who launches, as the tool has it registered.
module.exports = {
  url: 'https://platform.example.org',
  clientId: 'peer',
  deploymentId: '1',
  keyId: 'platform-key'
}
