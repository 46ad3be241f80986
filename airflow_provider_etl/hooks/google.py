"""Google's services by Airflow's connection of type google_cloud_platform: who we are is google-auth's work.

Airflow's own provider for Google brings a hundred packages with it, of which none is needed here: the connection's
fields are read as it reads them (`airflow.providers.google.common.hooks.base_google`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

from airflow_provider_etl.engines.calls import Calls
from airflow_provider_etl.engines.google import Apis
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError

_ADDRESS: Final = "https://{}.googleapis.com"
_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_PREFIX: Final = "extra__google_cloud_platform__"  # what older connections have before each field
_KEYS: Final = ("key_path", "keyfile_dict", "credential_config_file")
_UNREAD: Final = ("key_secret_name", "is_anonymous", "idp_issuer_url")
_TRIES: Final = 6  # of a call, with backoff and jitter


class _Apis:
    def __init__(self, connection: str | None) -> None:
        self._connection = connection
        self._made: dict[tuple[str, bool], Calls] = {}

    def __call__(self, service: str, *, once: bool = False) -> Calls:
        """A service; `once`: one that repeats no call by itself."""
        if (service, once) not in self._made:
            address = _ADDRESS.format(service)
            self._made[service, once] = Calls(address, self._headers, tries=1 if once else _TRIES)
        return self._made[service, once]

    def project(self) -> str:
        """The project of the connection, of its key, or of where this runs."""
        found = self._fields.get("project") or self._known[1]
        if not found:
            raise ConfigError("nobody says which project", where=self._where, remedy="say project: in the engine")
        return str(found)

    @property
    def _where(self) -> str:
        return f"connection {self._connection!r}" if self._connection else "engine"

    @cached_property
    def _fields(self) -> Mapping[str, Any]:
        return _fields(self._connection, self._where) if self._connection else {}

    @cached_property
    def _known(self) -> tuple[Any, str]:
        """(credentials, their project)."""
        found: tuple[Any, str] = _asked(lambda: _credentials(self._fields), self._where)
        return found

    def _headers(self) -> Mapping[str, str]:
        """Those that say who we are; a token that ends is renewed."""
        from google.auth.transport.requests import Request

        headers = {"User-Agent": "airflow-provider-etl"}
        credentials = self._known[0]
        _asked(lambda: credentials.before_request(Request(), "GET", "", headers), self._where)
        return headers


def _asked(work: Callable[[], Any], where: str) -> Any:
    """What google-auth does; its errors may quote what an identity service has said, so their first word is told."""
    try:
        from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
    except ImportError as error:
        remedy = "pip install 'airflow-provider-etl[dataproc]'"
        raise ConfigError(f"Google can't be asked: {error}", where="engine", remedy=remedy) from None
    try:
        return work()
    except EtlError:
        raise
    except DefaultCredentialsError:
        remedy = "give the connection a key (keyfile_dict, key_path), or this machine credentials of its own"
        raise ConfigError("there are no credentials for Google", where=where, remedy=remedy) from None
    except GoogleAuthError as error:
        word = str(next(iter(error.args), "")).partition(":")[0][:60]
        text = f"no token: {type(error).__name__} {word}".rstrip()
        if error.retryable or type(error).__name__ == "TransportError":
            raise InfrastructureError(text, where=where, remedy="it is tried again") from None
        raise ConfigError(text, where=where, remedy="see the connection's key, and whether it was revoked") from None
    except (ValueError, OSError) as error:  # their texts may quote the key
        what = f"its key can't be read: {type(error).__name__}"
        raise ConfigError(what, where=where, remedy="mend it in Airflow") from None


def _fields(connection: str, where: str) -> Mapping[str, Any]:
    """The fields of a connection's extra.

    Raises:
        ConfigError: there is no such connection, or it says what isn't read here.
    """
    from airflow_provider_etl.compat import with_the_database
    from airflow_provider_etl.hooks.connections import connection_of

    with with_the_database():
        found = connection_of(connection, "engine.connection")
        try:
            extra = dict(found.extra_dejson or {})
        except ValueError:  # its text may quote the secret
            raise ConfigError("its extra is no JSON", where=where, remedy="mend it in Airflow") from None
    fields = {key.removeprefix(_PREFIX): value for key, value in extra.items() if value not in (None, "", False)}
    if unread := [key for key in _UNREAD if key in fields]:
        remedy = "give it keyfile_dict, key_path or credential_config_file, or none of them"
        raise ConfigError(f"its {unread[0]} is not read here", where=where, remedy=remedy)
    if len(keys := [key for key in _KEYS if key in fields]) > 1:
        raise ConfigError(f"it has both {keys[0]} and {keys[1]}", where=where, remedy="leave one of them out")
    return fields


def _credentials(fields: Mapping[str, Any]) -> tuple[Any, str]:
    """(credentials, the project that they belong to, empty where they don't say)."""
    scopes = [scope.strip() for scope in str(fields.get("scope") or _SCOPE).split(",")]
    credentials, project = _own(fields, scopes)
    chain = fields.get("impersonation_chain")
    if not chain:
        return credentials, project
    from google.auth import impersonated_credentials

    *delegates, target = [name.strip() for name in (chain.split(",") if isinstance(chain, str) else chain)]
    lent = impersonated_credentials.Credentials(credentials, target, scopes, delegates=delegates)
    return lent, project


def _own(fields: Mapping[str, Any], scopes: list[str]) -> tuple[Any, str]:
    import google.auth
    from google.oauth2 import service_account

    if "key_path" in fields:
        made = service_account.Credentials.from_service_account_file(fields["key_path"], scopes=scopes)
        return made, str(made.project_id or "")
    if "keyfile_dict" in fields:
        made = service_account.Credentials.from_service_account_info(_mapping(fields["keyfile_dict"]), scopes=scopes)
        return made, str(made.project_id or "")
    if "credential_config_file" in fields:
        found = fields["credential_config_file"]
        if isinstance(found, str) and not found.lstrip().startswith("{"):
            made, project = google.auth.load_credentials_from_file(found, scopes=scopes)
        else:
            made, project = google.auth.load_credentials_from_dict(_mapping(found), scopes=scopes)
        return made, str(project or "")
    made, project = google.auth.default(scopes=scopes)
    return made, str(project or "")


def _mapping(found: Any) -> Mapping[str, Any]:
    read = json.loads(found) if isinstance(found, str) else found
    if not isinstance(read, Mapping):
        raise ValueError("no mapping")  # noqa: TRY004 - told as what can't be read
    return read


def apis_of(connection: str | None) -> Apis:
    """What gives Google's services; each is made when it is asked for first.

    Args:
        connection: Airflow connection id; None: what Google's own chain finds (a variable, gcloud's file, the machine).
    """
    return _Apis(connection)
