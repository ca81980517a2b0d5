"""Prints launches as JSON lines.

For each the tool's login is asked for real, so that the state's cookie and the nonce are the tool's; the id_token
is signed with the platform's key. Good for ten minutes.
"""

import http.client
import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import platform_registered as platform

CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
USERS = 5000
QUIZZES = 1000
# As a proxy in front of the tool says it, which speaks HTTPS with browsers.
PROXY = {"x-forwarded-proto": "https"}


def login(tool: http.client.HTTPConnection, user: str) -> tuple[str, str, str]:
    """State, nonce and cookies, as the tool answers them."""
    query = urlencode(
        {
            "iss": platform.URL,
            "client_id": platform.CLIENT_ID,
            "login_hint": user,
            "target_link_uri": "https://tool.example.org/launch",
        }
    )
    tool.request("GET", f"/login?{query}", headers=PROXY)
    answer = tool.getresponse()
    answer.read()
    if answer.status != 302:
        sys.exit(f"the login answered {answer.status}")
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    cookies = [cookie.split(";")[0] for cookie in answer.headers.get_all("set-cookie")]
    return asked["state"][0], asked["nonce"][0], "; ".join(cookies)


def claims(user: str, quiz: int, nonce: str) -> dict:
    now = int(time.time())
    return {
        "iss": platform.URL,
        "aud": platform.CLIENT_ID,
        "sub": user,
        "iat": now,
        "exp": now + 900,
        "nonce": nonce,
        "name": "Anna Learner",
        "given_name": "Anna",
        "family_name": "Learner",
        "email": f"{user}@example.org",
        f"{CLAIM}/message_type": "LtiResourceLinkRequest",
        f"{CLAIM}/version": "1.3.0",
        f"{CLAIM}/deployment_id": platform.DEPLOYMENT_ID,
        f"{CLAIM}/target_link_uri": "https://tool.example.org/launch",
        f"{CLAIM}/roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
        f"{CLAIM}/resource_link": {"id": f"link{quiz}", "title": "A quiz"},
        f"{CLAIM}/context": {"id": f"course{quiz % 100}", "label": "C", "title": "A course"},
        f"{CLAIM}/custom": {"quiz": str(quiz)},
    }


def main() -> None:
    count, base = int(sys.argv[1]), urlsplit(sys.argv[2])
    key = load_pem_private_key(Path(os.environ["PLATFORM_KEY_FILE"]).read_bytes(), None)
    tool = http.client.HTTPConnection(base.hostname, base.port)
    for number in range(count):
        user = f"learner{number % USERS}"
        state, nonce, cookie = login(tool, user)
        id_token = jwt.encode(
            claims(user, number % QUIZZES, nonce), key, "RS256", headers={"kid": platform.KEY_ID}
        )
        headers = {"content-type": "application/x-www-form-urlencoded", "cookie": cookie, **PROXY}
        body = urlencode({"id_token": id_token, "state": state})
        print(json.dumps({"method": "POST", "path": "/launch", "headers": headers, "body": body}))


main()
