"""Google's Secret Manager, asked by a job on Google's machines: whose it is, the metadata server there says.

Standard library alone: a cluster's Python need have no client of Google's. Sources: the discovery document of
secretmanager v1; Compute Engine's page on access tokens of the metadata server.
"""

from __future__ import annotations

import base64
import json
import os
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, Final

from spark_jobs.errors import ConfigError, InfrastructureError

_ADDRESS: Final = "https://secretmanager.googleapis.com"
_METADATA: Final = "metadata.google.internal"
_TOKEN: Final = "computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105 - a path
_TRIES: Final = 5
_FIRST: Final = 0.5  # seconds between two of them; then twice as many
_PATIENCE: Final = 15.0  # seconds for an answer
_SOON: Final = (408, 429)
_STRAIGHT: Final = urllib.request.ProxyHandler({})  # the metadata server is this machine's own


def secret_text(secret: str) -> str:
    """The newest version of a secret.

    Args:
        secret: `projects/PROJECT/secrets/NAME`.

    Raises:
        ConfigError: there is none, or the job's service account may not read it.
        InfrastructureError: nobody answers, which a retry may mend.
    """
    where = f"secret {secret}"
    host = os.environ.get("GCE_METADATA_HOST") or _METADATA
    told = _asked(f"http://{host}/{_TOKEN}", {"Metadata-Flavor": "Google"}, where, _STRAIGHT)
    headers = {"Authorization": f"Bearer {told['access_token']}"}
    found = _asked(f"{_ADDRESS}/v1/{secret}/versions/latest:access", headers, where)
    return base64.b64decode(found["payload"]["data"]).decode()


def _asked(url: str, headers: Mapping[str, str], where: str, *handlers: Any) -> Any:
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - http to the metadata server alone

    def once() -> Any:
        with opener.open(request, timeout=_PATIENCE) as answer:
            return json.load(answer)

    return _repeated(once, where)


def _repeated(call: Callable[[], Any], where: str) -> Any:
    pause, why = _FIRST, ""
    for _ in range(_TRIES):
        try:
            return call()
        except urllib.error.HTTPError as error:
            why = f"HTTP {error.code}: {error.reason}"
            if error.code < 500 and error.code not in _SOON:
                raise ConfigError(why, where=where, remedy="may the job's service account read it?") from None
        except (OSError, ValueError, HTTPException) as error:
            why = f"{type(error).__name__}: {getattr(error, 'reason', '') or 'the answer was cut'}"
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        pause *= 2
    raise InfrastructureError(why, where=where, remedy="repeat it")
