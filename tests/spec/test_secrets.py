"""Secrets are told by their place and never printed; what only looks a little like one is left alone."""

from __future__ import annotations

import pytest

from airflow_provider_etl.spec.secrets import in_text
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

# Put together here, so that no scanner of this repository takes them for real.
SECRETS = {
    "an AWS access key id": "AKIA" + "IOSFODNN7EXAMPLE",
    "a GitHub token": "ghp_" + "a1B2" * 9,
    "a JSON web token": "eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
    "a Slack token": "xoxb-" + "123456789012-abcdefABCDEF",
    "a Google API key": "AIza" + "Sy" + "A" * 33,
    "a Databricks token": "dapi" + "0123456789abcdef" * 2,
    "a password in a URL": "postgresql://etl:hunter2pass@db.example.com/orders",
    "a password in connection text": "jdbc:sqlserver://db;user=etl;password=hunter2pass",
    "a private key": "-----BEGIN RSA PRIVATE " + "KEY-----",
    "a storage account key": "AccountKey=" + "q" * 44,
}


@pytest.mark.parametrize(("what", "secret"), SECRETS.items(), ids=SECRETS)
def test_a_secret_is_told_at_its_line_and_not_printed(project: Project, what: str, secret: str) -> None:
    for line in (f'description: "see {secret}"', f"# see {secret}"):
        told = project.told(PIPELINE.replace("description: Orders, one day a window", line))
        assert len(told) == 1
        assert told[0].startswith("1:")
        assert f"this looks like {what}" in told[0]
        assert secret[-8:] not in told[0]


@pytest.mark.parametrize("key", ["password", "api_key", "client-secret", "auth_token", "aws.secret.key"])
def test_a_value_under_such_a_key_is_a_secret(project: Project, key: str) -> None:
    told = project.told(PIPELINE.replace("format: csv", f"format: csv\n    {key}: hunter2"))
    assert {line.split()[1] for line in told} == {"unknown-key", "secret"}
    assert "hunter2" not in "\n".join(told)


@pytest.mark.parametrize("key", ["secret", "token"])
def test_what_may_be_the_name_of_a_secret_is_a_suspicion(project: Project, key: str) -> None:
    told = project.told(PIPELINE.replace("format: csv", f"format: csv\n    {key}: vault_entry"))
    assert {line.split()[1] for line in told} == {"unknown-key", "secret-suspected"}


def test_no_other_diagnostic_shows_a_secret(project: Project) -> None:
    secret = "s3a://user:hunter2pass@bucket/orders"
    told = project.told(PIPELINE.replace("${env.lake}/orders", secret).replace("type: files", f"type: {secret}"))
    assert {"secret", "path-outside-roots", "unknown-kind"} & {line.split()[1] for line in told}
    assert "hunter2" not in "\n".join(told)
    loaded = project.load(PIPELINE.replace("${env.lake}/orders", secret), expressions=False)
    assert loaded.errors
    assert "hunter2" not in "\n".join(map(str, loaded.errors))


@pytest.mark.parametrize(
    "text",
    [
        "columns: {token_id: {type: string}, password: {type: string}}",
        "token_id and api_key are columns",
        "s3a://bucket/path:with@colon",
        "https://example.com:8080/@user",
        "postgresql://${env.user}:${env.password}@db/orders",
        "the password is in the connection orders_store",
        "secret: see the connection",
        "token: aaaaaaaaaaaaaaaaaaaaaaaa",
        "password_changed_at_timestamp_column",
        "key AKIA is no key",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_what_only_looks_a_little_like_one_is_left_alone(text: str) -> None:
    assert in_text(text) == []


def test_a_secret_in_the_environment_file_is_told_there(project: Project) -> None:
    path = project.environment(
        ENVIRONMENT.replace("small: true}", "conf: {spark.hadoop.fs.s3a.secret.key: hunter2pass}}")
    )
    loaded = project.load(PIPELINE)
    assert [(item.path, item.line, item.code) for item in loaded.diagnostics] == [(str(path), 8, "secret")]
    assert "hunter2" not in "\n".join(map(str, loaded.diagnostics))
    assert project.load(PIPELINE, expressions=False).pipeline is not None


def test_a_comment_speaks_of_its_own_file_alone(project: Project) -> None:
    line = "# the token is q7Xw2" + "Lm9Zt4Rb8Vd1Ks6"
    project.environment(f"{line}\n{ENVIRONMENT}")
    ignoring = f"owner: me  # etl: ignore=secret-suspected\n{PIPELINE}"
    assert [item.code for item in project.load(ignoring).diagnostics] == ["secret-suspected"]
    project.environment(f"{line}  # etl: ignore=secret-suspected\n{ENVIRONMENT}")
    assert project.told(PIPELINE) == []


def test_columns_may_be_called_like_secrets(project: Project) -> None:
    text = PIPELINE.replace(
        "format: csv", "format: csv\n    columns: {token_id: {type: string}, secret: {type: string}}"
    )
    text = text.replace("filter: amount > 0", "rename: {secret: token}\n  - derive: {password: token}")
    assert [line for line in project.told(text) if "secret" in line.split()[1]] == []


def test_a_suspicion_is_a_warning_that_can_be_ignored(project: Project) -> None:
    line = "# the token is q7Xw2" + "Lm9Zt4Rb8Vd1Ks6"
    assert [item.split()[1] for item in project.told(f"{line}\n{PIPELINE}")] == ["secret-suspected"]
    assert project.told(f"{line}  # etl: ignore=secret-suspected\n{PIPELINE}") == []
