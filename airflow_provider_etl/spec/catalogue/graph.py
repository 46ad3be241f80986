"""Rules about who reads what, and who writes where."""

from __future__ import annotations

from typing import Final

from airflow_provider_etl.spec.catalogue.rule import BASE, Rule, completed

_LOAD: Final = "load:\n  lake:\n    type: delta\n    path: ${env.lake}/"
_READ_BACK: Final = """\
extract:
  orders:
    type: table
    path: ${env.lake}/orders
    window: all
    columns: {id: {type: int}, amount: {type: int}, ordered_at: {type: timestamp}}
"""
_APPEND: Final = "\n    write: {strategy: append}\n"
_ON_S3: Final = completed("load:\n  lake: {type: delta, path: s3a://lake/orders, write: {strategy: append}}\n")
_OLD_S3: Final = completed("load:\n  lake: {type: delta, path: s3://lake/orders, write: {strategy: append}}\n")
_PLACE: Final = "../config/environments/local.yaml"
_LOCAL: Final = """\
variables: {raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}
roots: [data, "s3a://lake", "s3://lake"]
engines: {local: {kind: local%s}}
"""
_STAGED: Final = completed("execution: staged\n")
_FUSED: Final = completed("execution: fused\n")
_FAR: Final = _LOCAL.replace("kind: local%s", 'kind: connect, url: "sc://spark.example.com:15002"')
_OTHER: Final = ", conf: {spark.delta.logStore.s3a.impl: io.delta.storage.S3SingleDriverLogStore}"

RULES: Final = (
    Rule(
        code="unknown-dataset",
        why="A step, a check or a load names a source or dataset that isn't there, or that is defined further down.",
        wrong="transform:\n  - from: order\n  - filter: amount > 0\n",
        right="transform:\n  - from: orders\n  - filter: amount > 0\n",
        mend="Take the name that was meant, or move the dataset above the one that reads it.",
    ),
    Rule(
        code="unknown-catalog",
        why="A load or a source names a catalog of Iceberg tables that the environment file doesn't declare.",
        wrong="load:\n  lake: {type: iceberg, catalog: leak, table: sales.orders, write: {strategy: append}}\n",
        right="load:\n  lake: {type: iceberg, catalog: lake, table: sales.orders, write: {strategy: append}}\n",
        mend="Take the name that was meant, or declare the catalog in config/environments: "
        "`catalogs: {lake: {type: hadoop, warehouse: data/iceberg}}`.",
    ),
    Rule(
        code="dataset-cycle",
        why="Datasets read each other in a circle, so none of them can be computed first.",
        wrong="transform:\n  paid: {from: open}\n  open: {from: paid}\n"
        "check: {}\nload:\n  lake: {type: delta, from: paid, path: data/lake/orders, write: {strategy: append}}\n",
        right="transform:\n  open: {from: orders}\n  paid: {from: open}\n"
        "check: {}\nload:\n  lake: {type: delta, from: paid, path: data/lake/orders, write: {strategy: append}}\n",
        mend="Let one of them read a source.",
    ),
    Rule(
        code="unused-dataset",
        severity="warning",
        why="A source or dataset is read by no dataset, no check and no load: it costs a reading and gives nothing.",
        wrong="transform:\n  result: {from: orders}\n  spare: {from: orders}\ncheck: {}\n",
        right="transform:\n  result: {from: orders}\ncheck: {}\n",
        mend="Use it, or take it out.",
    ),
    Rule(
        code="quarantine-unloaded",
        why="A check sets rows aside of a dataset that no load takes. What starts from it was computed before the check: the"
        " rows would be in quarantine, and in the table too.",
        wrong="transform:\n  raw: {from: orders}\n  clean: {from: raw}\n"
        f"check:\n  raw: [{{not_null: {{columns: [customer], on_fail: quarantine}}}}]\n{_LOAD}orders{_APPEND}    from: clean\n",
        right="transform:\n  raw: {from: orders}\n  clean: {from: raw}\n"
        f"check:\n  clean: [{{not_null: {{columns: [customer], on_fail: quarantine}}}}]\n{_LOAD}orders{_APPEND}    from: clean\n",
        mend="Check the dataset that is loaded, or set the rows aside in a step.",
    ),
    Rule(
        code="table-read-back",
        why="A source reads the table that a load of the same pipeline writes. A repeat of a window would read what it wrote"
        " the first time, so it would end otherwise.",
        wrong=_READ_BACK,
        right=_READ_BACK + "    as_of: ${window.start}\n",
        mend="Read another table; or a `version`, or what the table said at a moment before (`as_of`).",
    ),
    Rule(
        code="name-clash",
        why="Two sources, datasets or loads have one name, or names that differ only in letter case: Spark and many disks"
        " can't tell them apart.",
        wrong="transform:\n  Orders: {from: orders}\ncheck: {}\n",
        right="transform:\n  result: {from: orders}\ncheck: {}\n",
        mend="Choose another name.",
    ),
    Rule(
        code="window-missing",
        why="A source doesn't say which of its rows belong to a window. Every window would load all of them.",
        wrong="extract:\n  orders: {type: files, path: data/raw/orders.csv, format: csv}\n",
        right="extract:\n  orders: {type: files, path: data/raw/orders.csv, format: csv, window: all}\n",
        mend="Name `${window…}` in the path, say `window: {column: …}`, or `window: all` for reference data.",
    ),
    Rule(
        code="python-not-allowed",
        why="A python step names a module that the deployment doesn't allow (`[etl] allowed_python`; without it none is)."
        " Authors of pipeline files aren't trusted to run code of any kind.",
        wrong="transform:\n  - from: orders\n  - python: {function: 'os:system'}\n",
        right="transform:\n  - from: orders\n  - derive: {gross: amount * 1.19}\n",
        mend="Take a function of an allowed module, or have whoever runs Airflow name this one in `[etl] allowed_python`.",
    ),
    Rule(
        code="path-outside-roots",
        why="A path leads out of the folders that the environment allows (`roots`). Authors of pipeline files are not"
        " trusted with the whole disk.",
        wrong=f"{_LOAD}../../../../../../../../tmp/orders{_APPEND}",
        right=f"{_LOAD}orders{_APPEND}",
        mend="Write below one of the roots, or add a root to the environment file.",
    ),
    Rule(
        code="path-scheme",
        why="Hadoop, by which Spark reads, knows S3 as `s3a://`; what begins with `s3://` or `s3n://` it can't open."
        " Where the environment has roots on S3, they begin with `s3a://` too.",
        wrong={"orders.yaml": _OLD_S3, _PLACE: _LOCAL % ""},
        right={"orders.yaml": _ON_S3, _PLACE: _LOCAL % ""},
        mend="Write `s3a://`.",
        whole=True,
    ),
    Rule(
        code="unsafe-log-store",
        why="A load writes a Delta table on S3, and the engine's `conf` has Delta commit in another way than by conditional"
        " puts. The log stores that come with Delta look whether a commit is there and write it then: of two writers"
        " one loses its commit, and neither is told.",
        wrong={"orders.yaml": _ON_S3, _PLACE: _LOCAL % _OTHER},
        right={"orders.yaml": _ON_S3, _PLACE: _LOCAL % ""},
        mend="Take the key out of the engine's `conf`: the log store that is safe is set by itself.",
        whole=True,
    ),
    Rule(
        code="no-such-jars",
        why="The engine's Spark has no jars for what the pipeline uses, so that Spark would end with a class that isn't"
        " there, or one that changed. Which versions fit each other is data of this package"
        " ([compatibility](compatibility.md)).",
        wrong={"orders.yaml": BASE, _PLACE: _LOCAL % ', spark: "4.3"'},
        right={"orders.yaml": BASE, _PLACE: _LOCAL % ', spark: "4.1"'},
        mend="Run the pipeline on an engine of the line that the message names, or leave out what that line lacks."
        " `airflow-etl jars FILE --spark VERSION` asks for another.",
        whole=True,
    ),
    Rule(
        code="not-over-connect",
        why="The engine is Spark Connect, whose client has no Java, and something of the pipeline needs it"
        " ([what runs there](connect.md)).",
        wrong={"orders.yaml": _STAGED, _PLACE: _FAR},
        right={"orders.yaml": _FUSED, _PLACE: _FAR},
        mend="Leave out what the message names, or run the pipeline on an engine of kind `local` or `spark_submit`.",
        whole=True,
    ),
    Rule(
        code="destination-shared",
        why="Two loads of one pipeline write one table: each would replace the other's rows.",
        wrong=f"{_LOAD}orders{_APPEND}  copy: {{type: delta, path: '${{env.lake}}/orders', write: {{strategy: append}}}}\n",
        right=f"{_LOAD}orders{_APPEND}  copy: {{type: delta, path: '${{env.lake}}/copy', write: {{strategy: append}}}}\n",
        mend="Union the datasets before the load.",
    ),
    Rule(
        code="table-shared",
        why="Two pipelines load one table, and at least one of them replaces rows that aren't its own.",
        wrong={"orders.yaml": "owner: sales\n", "web.yaml": "owner: web\n"},
        right={"orders.yaml": "owner: sales\n", "web.yaml": f"{_LOAD}web{_APPEND}"},
        mend="Give each load a `scope: {column: value}` of its own, or a table; or use `append` in both, where rows carry"
        " their pipeline.",
    ),
    Rule(
        code="table-nested",
        why="A table lies in the folder of another one, or in staging or quarantine. Each sweeps what it doesn't know in"
        " its folder: the files of the one would go with the other's next VACUUM, or with the next run's staging.",
        wrong=f"{_LOAD}orders{_APPEND}  copy: {{type: delta, path: '${{env.lake}}/orders/copy',"
        " write: {strategy: append}}\n",
        right=f"{_LOAD}orders{_APPEND}  copy: {{type: delta, path: '${{env.lake}}/orders_copy',"
        " write: {strategy: append}}\n",
        mend="Give each table a folder of its own, beside the others.",
    ),
    Rule(
        code="strategy-unsupported",
        why="The destination can't keep this strategy: what the strategy promises of a repeat, a re-order or a crash"
        " wouldn't hold there.",
        wrong="load:\n  lake: {type: merging, write: {strategy: append}}\n",
        right=f"{_LOAD}orders{_APPEND}",
        mend="Take the nearest one that the destination keeps; the message names it.",
    ),
    Rule(
        code="merge-without-sequence",
        why="Rows of one key replace each other, and nothing says which of them is the newest: which one stays would"
        " depend on the order in which windows run, and a backfill would undo what came later.",
        wrong="load:\n  lake: {type: merging, write: {strategy: merge}}\n",
        right="load:\n  lake: {type: merging, write: {strategy: merge, sequence: [ordered_at]}}\n",
        mend="Name the column that orders a key's rows in `sequence`, or say `depends_on_previous: true`.",
    ),
    Rule(
        code="update-needs-order",
        why="With `update: [columns]` a newer row changes some columns and leaves the others as they were, so what a row"
        " holds at last depends on which window ran first, and a backfill would change it.",
        wrong=f"{_LOAD}orders\n    write: {{strategy: merge, keys: [id], sequence: ordered_at, update: [amount]}}\n",
        right=f"depends_on_previous: true\n{_LOAD}orders\n"
        "    write: {strategy: merge, keys: [id], sequence: ordered_at, update: [amount]}\n",
        mend="Say `depends_on_previous: true`, or update all columns.",
    ),
    Rule(
        code="unknown-asset",
        severity="warning",
        why="The pipeline starts when an asset changes, and no file of the linted folder loads one of that name. A load's"
        " asset is called PIPELINE.LOAD. Another DAG may provide it.",
        wrong={
            "orders.yaml": "owner: sales\n",
            "daily.yaml": f"schedule: {{assets: [order.lake]}}\n{_LOAD}daily{_APPEND}",
        },
        right={
            "orders.yaml": "owner: sales\n",
            "daily.yaml": f"schedule: {{assets: [orders.lake]}}\n{_LOAD}daily{_APPEND}",
        },
        mend="Take the name that was meant, or ignore the warning where a DAG written by hand provides the asset.",
    ),
    Rule(
        code="asset-cycle",
        severity="warning",
        why="Pipelines start each other in a circle: once one of them has run, they never come to rest.",
        wrong={
            "a.yaml": f"schedule: {{assets: [b.lake]}}\n{_LOAD}a{_APPEND}",
            "b.yaml": f"schedule: {{assets: [a.lake]}}\n{_LOAD}b{_APPEND}",
        },
        right={"a.yaml": f"{_LOAD}a{_APPEND}", "b.yaml": f"schedule: {{assets: [a.lake]}}\n{_LOAD}b{_APPEND}"},
        mend="Give one of them a clock.",
    ),
    Rule(
        code="unknown-pipeline",
        why="A wait names a pipeline of which there is no file: it could only end with its timeout.",
        wrong="wait_for:\n  - pipeline: {name: order_lines}\n",
        right={"orders.yaml": "wait_for:\n  - pipeline: {name: lines}\n", "lines.yaml": f"{_LOAD}lines{_APPEND}"},
        mend="Take the name that was meant; for another DAG of Airflow say `by: airflow` and `window: same`.",
    ),
    Rule(
        code="unknown-load",
        why="A wait names a load that the other pipeline doesn't have.",
        wrong={
            "orders.yaml": "wait_for:\n  - pipeline: {name: lines, load: lke}\n",
            "lines.yaml": f"{_LOAD}lines{_APPEND}",
        },
        right={
            "orders.yaml": "wait_for:\n  - pipeline: {name: lines, load: lake}\n",
            "lines.yaml": f"{_LOAD}lines{_APPEND}",
        },
        mend="Take the name that was meant, or leave `load` out: then all of them are waited for.",
    ),
    Rule(
        code="wait-cycle",
        why="A pipeline waits for itself, or pipelines wait for each other: each waits until its time is up.",
        wrong={
            "orders.yaml": "wait_for:\n  - pipeline: {name: lines}\n",
            "lines.yaml": f"wait_for:\n  - pipeline: {{name: orders}}\n{_LOAD}lines{_APPEND}",
        },
        right={"orders.yaml": "wait_for:\n  - pipeline: {name: lines}\n", "lines.yaml": f"{_LOAD}lines{_APPEND}"},
        mend="Take one of the waits out; for the window before say `depends_on_previous: true`.",
    ),
)
