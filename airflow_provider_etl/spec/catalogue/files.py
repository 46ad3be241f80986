"""Rules about a file as such: its bytes, its YAML, its name, its bases."""

from __future__ import annotations

from typing import Final

from airflow_provider_etl.spec.catalogue.rule import BASE, Rule

_WEB: Final = "load: {lake: {type: delta, path: data/lake/web, write: {strategy: append}}}\n"
_VARIABLES: Final = """\
variables: {raw: "%s", lake: "%s", staging: data/staging, quarantine: data/quarantine}
roots: [data]
engines: {local: {kind: local}}
"""
RULES: Final = (
    Rule(
        code="no-files",
        why="A folder was given to `lint` that holds no pipeline file. That is most likely a typing error, so it is no"
        " success. `*.yaml` and `*.yml` are read; hidden files and those that begin with `_` or end in `.test.yaml` aren't.",
        wrong="airflow-etl lint empty",
        right="airflow-etl lint .",
        mend="Give the folder that holds the pipelines.",
        command=True,
    ),
    Rule(
        code="file-unreadable",
        why="The file isn't there, isn't a regular file, or may not be read.",
        wrong="airflow-etl lint order.yaml",
        right="airflow-etl lint orders.yaml",
        mend="Check the path and the file's permissions.",
        command=True,
    ),
    Rule(
        code="file-too-large",
        why="A pipeline file has at most 1 MiB. The limit keeps a file that was put there by mistake from slowing down"
        " Airflow's DAG processor.",
        wrong={"orders.yaml": "# one line of a very long comment\n" * 40_000},
        right={"orders.yaml": BASE},
        mend="Split the pipeline, or move what many files share into a base (`extends`).",
        whole=True,
    ),
    Rule(
        code="file-encoding",
        why="The file isn't UTF-8; the place is the first byte that can't be read.",
        wrong="description: Bestellungen f\udcfcr einen Tag\n",
        right="description: Bestellungen für einen Tag\n",
        mend="Save the file as UTF-8.",
    ),
    Rule(
        code="file-empty",
        why="The file holds nothing, or only comments.",
        wrong="# orders: to be written\n",
        right=BASE,
        mend="Write the pipeline, or take the file away; a name that begins with `_` keeps a file from being read.",
        whole=True,
    ),
    Rule(
        code="yaml-syntax",
        why="The file is no YAML. The place is where the parser gave up, which may be behind the mistake.",
        wrong="description: orders: one day a window\n",
        right='description: "orders: one day a window"\n',
        mend="Put texts that hold `: `, or that begin with `*`, `&`, `@` or `%`, in quotes; indent with spaces.",
    ),
    Rule(
        code="yaml-documents",
        why="A second document begins in the file (`---`). One file is one pipeline, one DAG.",
        wrong="owner: sales\n---\nowner: finance\n",
        right="owner: sales\n",
        mend="Give the second pipeline a file of its own.",
    ),
    Rule(
        code="yaml-too-deep",
        why="Mappings and lists are nested more than 50 levels deep, which no pipeline needs; a parser can be crashed so.",
        wrong=f"tags: {'[' * 60}{']' * 60}\n",
        right="tags: [orders]\n",
        mend="Flatten the file.",
    ),
    Rule(
        code="yaml-alias",
        why="`*name` repeats what `&name` marked before it. Here nothing is marked so, or the mark contains itself.",
        wrong="tags: *common\n",
        right="tags: &common [orders]\n",
        mend="Mark the value first, or put a text that begins with `*` in quotes.",
    ),
    Rule(
        code="yaml-tag",
        why="Tags such as `!!python/object` make YAML build objects; no key of a pipeline needs one.",
        wrong="owner: !!str sales\n",
        right="owner: sales\n",
        mend="Leave the tag out.",
    ),
    Rule(
        code="yaml-key",
        why="A key is a list or a mapping. Mostly it was meant as a text, or as Jinja, which means nothing here.",
        wrong="owner: {{ owner }}\n",
        right='owner: "{owner}"\n',
        mend="Put a text that begins with `{` or `[` in quotes; use `${…}` for what differs.",
    ),
    Rule(
        code="yaml-merge",
        why="`<<` merges mappings in some YAML readers and not in others, so it is refused.",
        wrong="retries:\n  <<: {attempts: 3}\n",
        right="retries: {attempts: 3}\n",
        mend="Write the keys out, or put what files share into a base (`extends`).",
    ),
    Rule(
        code="yaml-too-many-values",
        why="The file has more than 100,000 values once aliases are written out: nested aliases multiply.",
        wrong="".join(
            ["a: &a [x, x, x, x, x, x, x, x, x, x]\n"]
            + [
                f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
                for before, name in zip("abcde", "bcdef", strict=True)
            ]
        ),
        right="tags: &a [x, y]\n",
        mend="Write fewer aliases, or split the pipeline.",
    ),
    Rule(
        code="duplicate-key",
        why="A key stands twice in one mapping. YAML readers keep one of the two silently; which one, differs.",
        wrong="tags: [orders]\ntags: [daily]\n",
        right="tags: [orders, daily]\n",
        mend="Keep one of them.",
    ),
    Rule(
        code="not-a-mapping",
        why="The file is a list or a text where the keys of a pipeline are wanted.",
        wrong="- schedule: daily\n- start: 2013-01-01\n",
        right=BASE,
        mend="Begin with `schedule:`, `extract:`, `transform:`, `check:`, `load:` at the margin.",
        whole=True,
    ),
    Rule(
        code="invalid-name",
        why="The file's name is the DAG's id, and the names of sources, datasets and loads become folders and tables:"
        " Airflow, Spark and file systems all have to take them.",
        wrong={"my orders.yaml": BASE},
        right={"my_orders.yaml": BASE},
        mend="Use ASCII letters, digits and `_`; in file names `-` and `.` too.",
        whole=True,
    ),
    Rule(
        code="duplicate-dag",
        why="Two files have one name, so both would be the same DAG: Airflow keeps the one that it reads last.",
        wrong={"sales/orders.yaml": BASE, "web/orders.yaml": BASE.replace("lake}/orders", "lake}/web")},
        right={"sales/orders.yaml": BASE, "web/web_orders.yaml": BASE.replace("lake}/orders", "lake}/web")},
        mend="Rename one of the files.",
        whole=True,
    ),
    Rule(
        code="duplicate-id",
        why="Two pipelines have one `id`: ledgers, staging and quarantine would take the windows of one for the other's.",
        wrong={"orders.yaml": "id: sales\n", "web.yaml": f"id: sales\n{_WEB}"},
        right={"orders.yaml": "id: sales\n", "web.yaml": f"id: web_sales\n{_WEB}"},
        mend="Give one of them another id.",
    ),
    Rule(
        code="dag-case",
        severity="warning",
        why="Two ids differ in letter case alone. On disks that ignore case both DAGs write their logs, and their"
        " quarantine, into one folder.",
        wrong={"orders.yaml": BASE, "web/Orders.yaml": BASE.replace("lake}/orders", "lake}/web")},
        right={"orders.yaml": BASE, "web/web_orders.yaml": BASE.replace("lake}/orders", "lake}/web")},
        mend="Rename one of the files.",
        whole=True,
    ),
    Rule(
        code="extends-missing",
        why="The base that `extends` names isn't there or can't be read; its path is relative to the file that names it.",
        wrong="extends: _bases.yaml\n",
        right={"orders.yaml": "extends: _base.yaml\n", "_base.yaml": "owner: sales\n"},
        mend="Correct the path.",
    ),
    Rule(
        code="extends-cycle",
        why="A base leads back to the file that it is a base of.",
        wrong={"orders.yaml": "extends: _base.yaml\n", "_base.yaml": "extends: orders.yaml\n"},
        right={"orders.yaml": "extends: _base.yaml\n", "_base.yaml": "owner: sales\n"},
        mend="Let one of them do without the other.",
    ),
    Rule(
        code="extends-outside",
        why="A base lies outside the project's folder: authors of pipeline files may read nothing else.",
        wrong="extends: ../../../../../../../../etc/hosts.yaml\n",
        right={"orders.yaml": "extends: _base.yaml\n", "_base.yaml": "owner: sales\n"},
        mend="Move the base into the project.",
    ),
    Rule(
        code="extends-too-deep",
        why="Bases have bases more than ten levels deep: nobody can say any more where a value comes from.",
        wrong={"orders.yaml": "extends: _b1.yaml\n"}
        | {f"_b{n}.yaml": f"extends: _b{n + 1}.yaml\n" for n in range(1, 30)},
        right={"orders.yaml": "extends: _base.yaml\n", "_base.yaml": "owner: sales\n"},
        mend="Put bases together.",
    ),
    Rule(
        code="environment-missing",
        why="The environment that was asked for has no file in `config/environments` of any folder above the pipeline.",
        wrong="airflow-etl lint orders.yaml --environment prod",
        right="airflow-etl lint orders.yaml --environment local",
        mend="Write `config/environments/NAME.yaml` with variables, roots and engines, or choose another one with"
        " `--environment`, `AIRFLOW__ETL__ENVIRONMENT` or `[etl] environment` in airflow.cfg.",
        command=True,
    ),
    Rule(
        code="root-not-allowed",
        why="A root of the environment, its staging or its quarantine lies outside what the deployment allows"
        " (`[etl] allowed_roots`): pipelines may neither read nor write there.",
        wrong="AIRFLOW__ETL__ALLOWED_ROOTS=/srv/lake airflow-etl lint orders.yaml",
        right="AIRFLOW__ETL__ALLOWED_ROOTS=/ airflow-etl lint orders.yaml",
        mend="Choose roots under the allowed ones, or ask who runs the deployment to allow more.",
        command=True,
    ),
    Rule(
        code="option-invalid",
        why="An option of the section `[etl]` of Airflow's configuration has a value that means nothing.",
        wrong="AIRFLOW__ETL__STRICT=perhaps airflow-etl lint orders.yaml",
        right="AIRFLOW__ETL__STRICT=true airflow-etl lint orders.yaml",
        mend="Give it a value of its type, or take it away; docs/options.md lists them.",
        command=True,
    ),
    Rule(
        code="useless-ignore",
        severity="warning",
        why="A comment `# etl: ignore=CODE` ignores nothing: its warning isn't there any more, or the code is an error,"
        " which can't be ignored.",
        wrong="owner: sales  # etl: ignore=unused-dataset\n",
        right="owner: sales\n",
        mend="Take the comment out; mend the error.",
    ),
    Rule(
        code="file-ending",
        why="The file's ending isn't written in small letters, so it is no pipeline yet, though it was surely meant as one.",
        wrong={"orders.yaml": BASE, "web.YAML": BASE.replace("lake}/orders", "lake}/web")},
        right={"orders.yaml": BASE, "web.yaml": BASE.replace("lake}/orders", "lake}/web")},
        mend="Rename it to `.yaml`.",
        whole=True,
    ),
    Rule(
        code="linked-folder",
        severity="warning",
        why="A linked folder isn't entered: links may lead in circles, or out of the project.",
        wrong="airflow-etl lint ../linked",
        right="airflow-etl lint orders.yaml",
        mend="Name the folder by itself, or put the files here.",
        command=True,
    ),
    Rule(
        code="variable-cycle",
        why="Variables of the environment are made of one another in a circle, so none of them has a value.",
        wrong={"orders.yaml": BASE, "../config/environments/local.yaml": _VARIABLES % ("${env.lake}", "${env.raw}")},
        right={"orders.yaml": BASE, "../config/environments/local.yaml": _VARIABLES % ("data/raw", "${env.raw}")},
        mend="Write one of them out.",
        whole=True,
    ),
)
