"""Rules about secrets. The examples are put together here so that no scanner of this repository takes them for real."""

from __future__ import annotations

from typing import Final

from airflow_provider_etl.spec.catalogue.rule import Rule

_KEY: Final = "AKIA" + "EXAMPLE0EXAMPLE0"
_NOISE: Final = "q7Xw2" + "Lm9Zt4Rb8Vd1Ks6"

RULES: Final = (
    Rule(
        code="secret",
        why="The file holds what looks like a password, a key or a token: by its shape (private keys, access key ids, JSON"
        " web tokens, `user:password@` in a URL, tokens of well-known services) or by the name of its key. The file goes"
        " to a repository, to logs and to Airflow's Code page. The message never shows it.",
        wrong=f"description: orders, access key {_KEY}\n",
        right="description: orders, by the connection `orders_store`\n",
        mend="Keep it in an Airflow connection and name that. Change the secret: the file's history has it.",
    ),
    Rule(
        code="secret-suspected",
        severity="warning",
        why="Beside a word such as `password` or `token` stands a text that looks drawn by chance.",
        wrong=f"# the token is {_NOISE}\nowner: sales\n",
        right="# the token is in the connection orders_api\nowner: sales\n",
        mend="If it is a secret: as above. If it is none: `# etl: ignore=secret-suspected` behind it.",
    ),
)
