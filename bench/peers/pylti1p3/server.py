"""An LTI 1.3 tool made with PyLTI1p3 and Flask, that redirects each launch to an external address.

It is put together as in PyLTI1p3's Flask example. The cache of that example is the memory of one process;
since two processes serve here, it is a folder that they share.
"""

import os
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask, redirect
from flask_caching import Cache
from jwcrypto.jwk import JWK
from pylti1p3.contrib.flask import (
    FlaskCacheDataStorage,
    FlaskMessageLaunch,
    FlaskOIDCLogin,
    FlaskRequest,
)
from pylti1p3.exception import LtiException, OIDCException
from pylti1p3.tool_config import ToolConfDict

import platform_registered as platform

app = Flask(__name__)
cache = Cache(
    app,
    config={
        "CACHE_TYPE": "FileSystemCache",
        "CACHE_DIR": os.environ["CACHE_FOLDER"],
        # No limit: with one, each write would count the files.
        "CACHE_THRESHOLD": 0,
    },
)


def key_set() -> dict:
    """The platform's keys, given to the tool, so that it fetches nothing."""
    key = JWK.from_pem(Path(os.environ["PLATFORM_KEY_FILE"]).read_bytes())
    return {"keys": [{**key.export_public(as_dict=True), "kid": platform.KEY_ID, "alg": "RS256"}]}


tool_conf = ToolConfDict(
    {
        platform.URL: {
            "client_id": platform.CLIENT_ID,
            "auth_login_url": f"{platform.URL}/auth",
            "auth_token_url": f"{platform.URL}/token",
            "key_set": key_set(),
            "deployment_ids": [platform.DEPLOYMENT_ID],
        }
    }
)


@app.get("/ready")
def ready() -> str:
    return "ready"


@app.route("/login", methods=["GET", "POST"])
def login():
    lti = FlaskOIDCLogin(FlaskRequest(), tool_conf, launch_data_storage=FlaskCacheDataStorage(cache))
    return lti.redirect("https://tool.example.org/launch")


@app.post("/launch")
def launch():
    lti = FlaskMessageLaunch(FlaskRequest(), tool_conf, launch_data_storage=FlaskCacheDataStorage(cache))
    said = lti.get_launch_data()
    quiz = said["https://purl.imsglobal.org/spec/lti/claim/custom"]["quiz"]
    return redirect(
        "https://lms.example.org/mod/quiz/view.php?" + urlencode({"id": quiz, "un": said["sub"]})
    )


@app.errorhandler(LtiException)
@app.errorhandler(OIDCException)
def refused(error: Exception):
    return str(error), 401
