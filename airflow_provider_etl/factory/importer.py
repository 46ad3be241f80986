"""The importer of Airflow 3.4: a pipeline file is the DAG's own file, which the Code tab shows.

```ini
[dag_processor]
dag_importer_configs = [{"classpath": "airflow_provider_etl.factory.importer.PipelineImporter"}]
```

No loader is needed then, and one that is there leaves the files to the importer. Pipeline files are the YAML files
below a folder of the name that `[etl] pipelines_folder` (or `"kwargs": {"folder": …}`) says, anywhere in the bundle;
hidden ones, `*.test.yaml` and what `.airflowignore` names are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk.importers import (
    AbstractDagImporter,
    DagImportError,
    DagImportResult,
    DagImportWarning,
    DagSourceCode,
    FilesystemDagDefinition,
    find_file_dag_definitions,
)

from airflow_provider_etl.factory.attempt import attempt
from airflow_provider_etl.factory.verdict import configured, refused
from airflow_provider_etl.spec import duplicate_names, load_file
from airflow_provider_etl.spec.contracts.alone import is_contract, without_contracts
from airflow_provider_etl.spec.files import ENDINGS, is_pipeline

if TYPE_CHECKING:
    from airflow.dag_processing.bundles.base import BaseDagBundle

    from airflow_provider_etl.spec import Diagnostic, Loaded

_NAMESPACE: Final = "etl"


class PipelineImporter(AbstractDagImporter[FilesystemDagDefinition]):
    """Pipeline files as DAGs, one each.

    Args:
        folder: name of the folder with the pipeline files; by default `[etl] pipelines_folder`.
        environment: name or path of an environment; by default `[etl] environment`.
    """

    supported_extensions: list[str] = list(ENDINGS)  # noqa: RUF012 - the registry reads and sets it

    def __init__(self, folder: str | None = None, environment: str | None = None) -> None:
        self._folder = folder
        self._environment = environment

    def can_handle(self, definition: Any) -> bool:
        """Whether it is a pipeline file by its name."""
        path = definition.path if isinstance(definition, FilesystemDagDefinition) else definition
        return isinstance(path, (str, Path)) and is_pipeline(Path(path).name)

    def list_dag_definitions(
        self,
        bundle: BaseDagBundle,
        *,
        safe_mode: bool = True,  # noqa: ARG002 - the interface's: there is no content to guess from
    ) -> Iterator[FilesystemDagDefinition | DagImportError]:
        """The pipeline files of a bundle, or of a folder or file in it: names decide, nothing is read."""
        for definition in find_file_dag_definitions(bundle.path, self.supported_extensions):
            if self._is_ours(definition.path, Path(bundle.path)):
                yield definition

    def import_definition(self, definition: FilesystemDagDefinition, bundle: BaseDagBundle) -> DagImportResult:
        """The DAG of a file; or its errors, all of them, each with its place."""
        path, root = definition.path, Path(bundle.path)
        name = definition.get_relative_loc(root)
        loaded = load_file(path, environment=self._environment)
        told = [*self._clash(path, root), *refused(loaded)]
        result = DagImportResult(definition=definition)
        if (told or loaded.pipeline is None) and is_contract(path):
            return result
        if told or loaded.pipeline is None:
            message = "\n".join(str(replace(item, path=name)) for item in told)
            result.errors.append(DagImportError(source_reference=str(path), message=message, error_type="pipeline"))
            return result
        dags, why = attempt(loaded.pipeline, name, source=path.name, environment=self._environment)
        if why:
            result.errors.append(DagImportError(source_reference=str(path), message=why, error_type="pipeline"))
            return result
        result.dags.extend(dags)
        result.warnings.extend(_warnings(loaded, name))
        return result

    def get_source_code(self, definition: Any, dag_id: str | None = None) -> DagSourceCode:  # noqa: ARG002 - one DAG
        """The file as it is."""
        return DagSourceCode(source_code=definition.read_text(encoding="utf-8"), language="yaml")

    def _is_ours(self, path: Path, root: Path) -> bool:
        folder = PurePath(self._folder or configured().pipelines_folder).parts
        # What is asked for may be one file, or the very folder with the pipelines: so much of what is above counts.
        begin = 0 if root.is_file() else max(len(root.parts) - len(folder), 0)
        inside, below = path.parts[begin:-1], path.parts[len(root.parts) : -1]
        found = any(inside[at : at + len(folder)] == folder for at in range(len(inside)))
        return found and is_pipeline(path.name) and not any(part.startswith(".") for part in below)

    def _clash(self, path: Path, root: Path) -> list[Diagnostic]:
        """An earlier file of the bundle has the same name, and so the same DAG id."""
        if not root.is_dir():
            return []
        alike = sorted(other for ending in ENDINGS for other in root.rglob(path.stem + ending))
        ours = without_contracts([other for other in alike if self._is_ours(other, root)])
        return [item for item in duplicate_names(ours) if item.path == str(path)]


def _warnings(loaded: Loaded, name: str) -> Iterator[DagImportWarning]:
    for item in loaded.diagnostics:
        yield DagImportWarning(
            source_reference=name,
            message=str(replace(item, path=name)),
            warning_type=f"{_NAMESPACE}:{item.code}",
            line_number=item.line,
        )
