"""Who launches, as the tool has it registered."""

URL = "https://platform.example.org"
CLIENT_ID = "peer"
DEPLOYMENT_ID = "1"
KEY_ID = "platform-key"
