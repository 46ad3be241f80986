"""Rules about contracts that stand in files of their own."""

from __future__ import annotations

from typing import Final

from airflow_provider_etl.spec.catalogue.rule import BASE, Rule

_CONTRACT: Final = """\
columns:
  id: {type: int, required: true}
  customer: {type: string}
  amount: {type: "decimal(10,2)"}
  ordered_at: {type: timestamp}
"""
_INLINE: Final = BASE[BASE.index("    columns:\n") : BASE.index("transform:")]
_KEPT: Final = BASE.replace(_INLINE, "    contract: dags/_orders.yaml\n")
_RIGHT: Final = {"orders.yaml": _KEPT, "_orders.yaml": _CONTRACT}
_READS: Final = """\
description: What was sold
schedule: "@daily"
start: 2013-01-01
extract:
  orders:
    type: table
    path: ${env.lake}/orders
    window: {column: ordered_at}
    contract: dags/_orders.yaml
load:
  lake:
    type: delta
    path: ${env.lake}/sales
    write: {strategy: replace_window, column: ordered_at}
"""
_LOADS: Final = BASE + "    contract: dags/_loaded.yaml\n"

RULES: Final = (
    Rule(
        code="contract-missing",
        why="The contract that a source or load names isn't there; its path starts from the project folder.",
        wrong={"orders.yaml": _KEPT.replace("_orders.yaml", "_order.yaml"), "_orders.yaml": _CONTRACT},
        right=_RIGHT,
        mend="Correct the path.",
        whole=True,
    ),
    Rule(
        code="contract-outside",
        why="The contract lies outside the project folder and outside the environment's roots: authors of pipeline files"
        " may read nothing else.",
        wrong={"orders.yaml": _KEPT.replace("dags/_orders.yaml", "../../../../../../../../etc/hosts")},
        right=_RIGHT,
        mend="Keep the contract in the project.",
        whole=True,
    ),
    Rule(
        code="contract-conflict",
        why="A source says something of a column, or of new ones, that its contract says otherwise. It may ask for more than"
        " it is promised (`required`, `pii`, columns beside an open contract), and for nothing else.",
        wrong={
            "orders.yaml": _KEPT.replace("    contract:", "    columns: {id: {type: string}}\n    contract:"),
            "_orders.yaml": _CONTRACT,
        },
        right={
            "orders.yaml": _KEPT.replace(
                "    contract:", "    columns: {customer: {type: string, required: true}}\n    contract:"
            ),
            "_orders.yaml": _CONTRACT,
        },
        mend="Take it out of the pipeline, or change the contract with those who keep it.",
        whole=True,
    ),
    Rule(
        code="contract-mode",
        why="The contract has a mode that can't be kept where it is named: a load has no rows of its own to leave out, a"
        " source's types don't grow.",
        wrong={"orders.yaml": _KEPT, "_orders.yaml": _CONTRACT + "modes: {types: discard}\n"},
        right={"orders.yaml": _KEPT, "_orders.yaml": _CONTRACT + "modes: {types: quarantine}\n"},
        mend="Change the mode in the contract, or say another where it is named: `contract: {file: .., modes: {types: ..}}`.",
        whole=True,
    ),
    Rule(
        code="contract-note",
        severity="warning",
        why="A part of a contract is not kept: a field of the standard that has no counterpart here, a rule that a step reads"
        " past.",
        wrong={
            "orders.yaml": _KEPT,
            "_orders.yaml": "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nstatus: active\n"
            "schema:\n  - name: orders\n    properties:\n      - {name: id, logicalType: integer, encryptedName: id_x}\n"
            "      - {name: amount, logicalType: number}\n      - {name: ordered_at, logicalType: timestamp}\n",
        },
        right={
            "orders.yaml": _KEPT,
            "_orders.yaml": "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nstatus: active\n"
            "schema:\n  - name: orders\n    properties:\n      - {name: id, logicalType: integer}\n"
            "      - {name: amount, logicalType: number}\n      - {name: ordered_at, logicalType: timestamp}\n",
        },
        mend="See to it by other means, or take it out of the contract.",
        whole=True,
    ),
    Rule(
        code="contract-broken",
        why="A load writes a table that another pipeline reads under a contract, and its columns can't be what the contract"
        " promises: a step drops one, or gives it another type.",
        wrong={
            "orders.yaml": BASE.replace("  - filter: amount > 0\n", "  - drop: [customer]\n"),
            "sales.yaml": _READS,
            "_orders.yaml": _CONTRACT,
        },
        right={"orders.yaml": BASE, "sales.yaml": _READS, "_orders.yaml": _CONTRACT},
        mend="Give the column again, or agree on another contract with those who read the table.",
        whole=True,
    ),
    Rule(
        code="contract-unpromised",
        severity="warning",
        why="A source reads a table under a contract that says more than the contract of the load which writes it: what the"
        " reader relies on may hold today and not tomorrow, and nobody who changes the load would know.",
        wrong={
            "orders.yaml": _LOADS,
            "sales.yaml": _READS,
            "_orders.yaml": _CONTRACT,
            "_loaded.yaml": _CONTRACT.replace(", required: true", ""),
        },
        right={"orders.yaml": _LOADS, "sales.yaml": _READS, "_orders.yaml": _CONTRACT, "_loaded.yaml": _CONTRACT},
        mend="Promise it in the load's contract, give both sides one file, or let the reader rely on less.",
        whole=True,
    ),
)
