"""The Spark session, and the few things that only the JVM behind it can do."""

from __future__ import annotations

import glob
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import uuid4

from spark_jobs import gateway, packages, zstd
from spark_jobs.connect import is_connect
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.object_store import s3

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CONF: Final = {
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.csv.parser.columnPruning.enabled": "false",
    "spark.sql.runSQLOnFiles": "false",  # a query of a pipeline file must not read paths: roots say which are allowed
    "spark.sql.variable.substitute": "false",  # ${env:NAME} in a query would be the driver's environment, past lint
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
    # It would ask the JVM four times and look through the call stack for each column expression.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # An inner join with an empty side would be replaced while its other side is half read: counts would be wrong.
    "spark.sql.adaptive.optimizer.excludedRules": "org.apache.spark.sql.execution.adaptive.AQEPropagateEmptyRelation",
}
# What only a Spark of this machine is told.
_LOCALLY: Final = (
    "spark.log.level",
    "spark.ui.enabled",
    "spark.ui.showConsoleProgress",
    "spark.driver.host",
    "spark.driver.bindAddress",
)
_RENAMES: Final = 3
_ICEBERG: Final = "iceberg-spark-runtime"
_ICEBERG_EXTENSIONS: Final = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
_LOGGING: Final = Path(__file__).with_name("log4j2.properties")
_DRIVER: Final = "spark.driver.extraJavaOptions"
_EXECUTOR: Final = "spark.executor.extraJavaOptions"
_COLLECTOR: Final = re.compile(r"-XX:\+Use(Serial|Parallel|G1|Z|Shenandoah|Epsilon)GC\b")  # Java refuses two of them
_LOCAL: Final = {
    # Delta's 50 tasks for the list of a table's files are meant for a cluster: here they take 5 seconds of CPU.
    "spark.databricks.delta.snapshotPartitions": "4",
    # Whoever else is on this machine reaches the driver's ports: Spark makes a secret of its own for each start.
    "spark.authenticate": "true",
}
_SMALL: Final = {
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    # Generated code must be compiled in every new process: below some 100,000 rows that takes longer than it saves.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


def start(name: str, engine: Mapping[str, Any]) -> SparkSession:
    """A session as the engine's settings say.

    Args:
        name: the application's name.
        engine: `master`, `memory` (such as "2g"), `jars` (a folder), `small` (tune for small windows), `archive` (a
            class data sharing archive), `conf` (more Spark settings), `s3` (the buckets that the plan names), `submit`
            (it was submitted to a cluster: its master and its name are known already), `provided` (a service has
            started Spark already, with what `settings` says), `packages` (Maven
            coordinates in place of the folder's jars).

    Raises:
        ConfigError: the folder holds no Delta jars.
    """
    from pyspark.sql import SparkSession

    if engine.get("remote"):
        from spark_jobs.connect import client

        made = client.start(engine["remote"])
        return made if engine["remote"].get("ours") else _told(made, engine)
    if engine.get("provided"):
        session: SparkSession = SparkSession.builder.getOrCreate()
        gateway.remember(session._jvm)
        return _told(session, engine)
    master = str(engine.get("master", "local[2]"))
    known = {} if engine.get("submit") else {"spark.app.name": name, "spark.master": master}
    conf: dict[str, Any] = known | settings(engine)
    if engine.get("submit"):  # Spark's client has placed all jars, those that it has fetched too: executors get them
        conf.pop("spark.jars", None)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    with gateway.started(conf):
        session = SparkSession.builder.config(map=conf).getOrCreate()
    gateway.remember(session._jvm)
    return session


def _told(session: SparkSession, engine: Mapping[str, Any]) -> SparkSession:
    """A session with our settings of SQL: a cluster that was there before us was started with others."""
    for key, value in settings(engine).items():
        # What speaks for tables was chosen when Spark began.
        if key.startswith("spark.sql.") and not key.startswith("spark.sql.catalog.") and session.conf.isModifiable(key):
            session.conf.set(key, value)
    return session


class Shared:
    """One Spark for several runs: started for the first, a session of its own for each."""

    def __init__(self) -> None:
        self._first: SparkSession | None = None

    def session(self, name: str, engine: Mapping[str, Any]) -> SparkSession:
        """A session: settings, temporary views and functions are nobody else's.

        Args:
            name: the application's name; the first one counts.
            engine: as for `start`; the first one counts.
        """
        if self._first is None:
            self._first = start(name, engine)
            return self._first
        if engine.get("remote"):  # the session is the job's, which other clients find by its token
            return self._first
        session = self._first.newSession()
        return _told(session, engine) if engine.get("provided") else session

    @property
    def has_more_to_write(self) -> bool:
        """Whether Spark must be stopped properly: it still writes its event log."""
        first = self._first
        if first is None or is_connect(first):
            return first is not None  # the server must hear that the session has ended
        return first.conf.get("spark.eventLog.enabled", "false") == "true"

    def stop(self) -> None:
        """Stop Spark, if it was started."""
        if self._first is not None:
            self._first.stop()


def settings(engine: Mapping[str, Any]) -> dict[str, str]:
    """Spark's settings for an engine; the engine's own `conf` wins, and its options of Java join ours."""
    if engine.get("provided") or engine.get("remote"):
        return _for_a_service(engine)
    small = bool(engine.get("small"))
    local = str(engine.get("master", "local")).startswith("local")
    conf = dict(_CONF) | (_LOCAL if local else {}) | (_SMALL if small else {})
    if engine.get("submit"):  # whoever submitted it knows where executors find the driver
        del conf["spark.driver.host"], conf["spark.driver.bindAddress"]
    conf["spark.driver.memory"] = str(engine.get("memory", "2g"))
    folder, buckets = str(engine.get("jars", "jars")), engine.get("s3")
    fetched = tuple(map(str, engine.get("packages") or ()))
    # An archive is of one class path: with that of S3, Java would say at each start that it is another one.
    archive = "" if buckets or fetched else str(engine.get("archive") or "")
    found = list(fetched) or jars(folder)
    if fetched:
        conf |= packages.settings(fetched, [s3.JAR] if buckets else ())
    else:
        conf["spark.driver.extraClassPath"] = ":".join([*found, *(s3.class_path(folder) if buckets else ())])
    if any(_ICEBERG in os.path.basename(path) for path in found):
        conf["spark.sql.extensions"] += f",{_ICEBERG_EXTENSIONS}"
    own = {key: str(value) for key, value in (engine.get("conf") or {}).items()}
    own |= packages.joined(conf, own) if fetched else {}
    java = {
        _DRIVER: joined(java_options(small, archive), own.get(_DRIVER, "")),
        _EXECUTOR: joined([], own.get(_EXECUTOR, "")),
    }
    return conf | own | java | (s3.settings(own) if buckets else {})


def _for_a_service(engine: Mapping[str, Any]) -> dict[str, str]:
    """As `settings`, where a service starts Spark: it has jars, pages, log and addresses of its own."""
    conf = {key: value for key, value in _CONF.items() if key not in _LOCALLY}
    conf |= {key: value for key, value in _SMALL.items() if engine.get("small")}
    own = {key: str(value) for key, value in (engine.get("conf") or {}).items()}
    java = {key: joined([], own.get(key, "")) for key in (_DRIVER, _EXECUTOR)}
    stored = s3.settings(own) if engine.get("s3") else {}
    stored.pop("spark.hadoop.fs.s3a.buffer.dir", None)
    return conf | {"spark.driver.memory": str(engine.get("memory", "2g"))} | own | java | stored


def java_options(small: bool, archive: str) -> list[str]:
    """C1 alone and an archive of loaded classes halve the start of a small window; heavy work wants ParallelGC."""
    options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"] if small else ["-XX:+UseParallelGC"]
    options.append(option(f"-Djava.io.tmpdir={tempfile.gettempdir()}"))
    options.append(option(f"-Dlog4j2.configurationFile={_LOGGING}"))
    if os.path.exists(archive):
        options += [option(f"-XX:SharedArchiveFile={archive}"), "-Xshare:auto"]
    return options


def joined(ours: Sequence[str], own: str) -> str:
    """Options of Java: ours, then an engine's own, which win; the clock is UTC's, whatever they say."""
    chosen = [item for item in ours if not (_COLLECTOR.search(item) and _COLLECTOR.search(own))]
    # By its clock ORC files are read, and by many a JDBC driver databases: never by that of whoever starts it.
    return " ".join(filter(None, [*chosen, own, "-Duser.timezone=UTC"]))


def option(text: str) -> str:
    """A JVM option that Spark's launcher won't cut at its spaces."""
    return f'"{text}"' if " " in text else text


class Storage:
    """Files and folders wherever Spark can reach them: local disk, S3, HDFS, by Hadoop's FileSystem.

    Args:
        spark: a classic session.
        path: any path or URI on the file system that is meant.
    """

    def __init__(self, spark: SparkSession, path: str) -> None:
        self._jvm: Any = spark._jvm
        self._configuration: Any = spark._jsparkSession.sessionState().newHadoopConf()
        self._fs: Any = self._path(path).getFileSystem(self._configuration)

    def _path(self, path: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(path)

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return bool(self._fs.exists(self._path(path)))

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder."""
        return self.exists(path) and bool(self._fs.getFileStatus(self._path(path)).isDirectory())

    def copy_out(self, path: str, target: str) -> None:
        """Copy a file, or a folder with all that is in it, to a place of this machine where nothing is yet."""
        hadoop = self._jvm.org.apache.hadoop.fs
        local = hadoop.FileSystem.getLocal(self._configuration)
        hadoop.FileUtil.copy(self._fs, self._path(path), local, self._path(target), False, self._configuration)

    def delete(self, path: str) -> None:
        """Remove a file or a folder with all that is in it; nothing happens where there is none."""
        self._fs.delete(self._path(path), True)

    def delete_empty(self, folder: str) -> None:
        """Remove a folder if nothing is in it: somebody may put something there at this moment."""
        from py4j.protocol import Py4JJavaError

        try:
            self._fs.delete(self._path(folder), False)
        except Py4JJavaError:
            if not self.names(folder):
                raise

    def parquet_rows(self, folder: str) -> int:
        """The number of rows of a folder's Parquet files, from their footers, read one by one."""
        return sum(int(group.getRowCount()) for footer in self.parquet_footers(folder) for group in footer.getBlocks())

    def parquet_footers(self, folder: str) -> Iterator[Any]:
        """The footer (Java's ParquetMetadata) of each of a folder's Parquet files."""
        hadoop = self._jvm.org.apache.parquet.hadoop
        for name, _ in self.names(folder):
            if name.endswith(".parquet"):
                file = hadoop.util.HadoopInputFile.fromPath(self._path(f"{folder}/{name}"), self._configuration)
                reader = hadoop.ParquetFileReader.open(file)
                try:
                    yield reader.getFooter()
                finally:
                    reader.close()

    def setting(self, key: str) -> str | None:
        """A setting of Hadoop's; None where nobody has set it."""
        found = self._configuration.get(key)
        return None if found is None else str(found)

    def partition_folder(self, values: Mapping[str, str]) -> str:
        """The folder of a partition below its table, named as Spark names it."""
        name = self._jvm.org.apache.spark.sql.catalyst.catalog.ExternalCatalogUtils.getPartitionPathString
        return "/".join(name(column, value) for column, value in values.items())

    def names(self, folder: str) -> list[tuple[str, int]]:
        """(name, modification time in milliseconds) of what is in a folder, sorted; empty where there is none."""
        if not self.exists(folder):
            return []
        found = self._fs.listStatus(self._path(folder))
        return sorted((str(item.getPath().getName()), int(item.getModificationTime())) for item in found)

    def write(self, path: str, text: str) -> None:
        """Write a small text file whole: under a name of its own first, then renamed.

        Raises:
            InfrastructureError: it couldn't be renamed, because others write it all the time.
        """
        hidden = f"{path}.{uuid4().hex}.writing"
        try:
            self._put_text(hidden, text)
            self._replace(hidden, path)
        except BaseException:
            with suppress(Exception):  # the first error counts
                self._fs.delete(self._path(hidden), False)
            raise

    def _put_text(self, path: str, text: str) -> None:
        stream = self._fs.create(self._path(path), True)
        try:
            stream.write(bytearray(text, "utf-8"))
        finally:
            stream.close()

    def _replace(self, hidden: str, path: str) -> None:
        for _ in range(_RENAMES):  # another writer may be there between the two
            self._fs.delete(self._path(path), False)
            if self._renamed(hidden, path):
                return
        raise InfrastructureError(f"{path} couldn't be written", where=path, remedy="repeat it")

    def _renamed(self, old: str, new: str) -> bool:
        """Whether a file could be renamed: where the new name is taken, S3A raises what others answer with False."""
        from py4j.protocol import Py4JJavaError

        try:
            return bool(self._fs.rename(self._path(old), self._path(new)))
        except Py4JJavaError as error:
            if "FileAlreadyExistsException" in str(error.java_exception.getClass().getName()):
                return False
            raise

    def first_line(self, path: str) -> str | None:
        """The first line of a text file; None where there is no such file."""
        from py4j.protocol import Py4JJavaError

        try:
            stream = self._fs.open(self._path(path))
        except Py4JJavaError as error:
            if "FileNotFoundException" in str(error.java_exception.getClass().getName()):
                return None
            raise
        java = self._jvm.java.io
        reader = java.BufferedReader(java.InputStreamReader(stream, "UTF-8"))
        try:
            return str(reader.readLine() or "")
        finally:
            reader.close()

    def read(self, path: str) -> str:
        """Read a small text file."""
        stream = self._fs.open(self._path(path))
        try:
            return bytes(stream.readAllBytes()).decode("utf-8")
        finally:
            stream.close()


class Bucket(Storage):
    """Storage that shows a file once it is whole, as S3 does: a rename would be a copy, and its place empty meanwhile.

    For hints alone: where the connection breaks inside a write, half of the text may be there.
    """

    def write(self, path: str, text: str) -> None:
        """Write a small text file at its place."""
        self._put_text(path, text)


def jars(folder: str) -> list[str]:
    """The jars of a folder, sorted.

    Raises:
        ConfigError: there is no Delta jar in it.
    """
    found = sorted(glob.glob(os.path.join(folder, "*.jar")))
    if not any("delta-spark" in os.path.basename(path) for path in found):
        raise ConfigError(
            f"no Delta jar in {folder}",
            where="engine",
            expected="delta-spark and delta-storage",
            remedy="airflow-etl doctor --fetch-jars fetches them once; afterwards no network is needed",
        )
    return found


class FileStat(NamedTuple):
    """A file as its storage lists it.

    Args:
        path: as Spark takes it, not encoded: `file:/drops/a b.csv`, `s3a://bucket/a b.csv`.
        size: bytes, compressed.
        mtime: modification time in milliseconds since 1970.
        inside: the path below the folder that was asked for or matched; the name alone where the file itself was.
        etag: what the storage calls this content; empty where it has no name for it.
    """

    path: str
    size: int
    mtime: int
    inside: str
    etag: str = ""


def list_files(spark: SparkSession, path: str) -> list[FileStat]:
    """Every file at a path, in the folders below it, or that a glob matches; sorted by path, empty where there is none.

    Args:
        spark: a classic session.
        path: a path or URI. What exists under exactly this name is taken; only otherwise is it a glob.
    """
    if is_connect(spark):
        from spark_jobs.connect import storage

        return storage.list_files(spark, path)
    jvm: Any = spark._jvm
    place = jvm.org.apache.hadoop.fs.Path(path)
    fs = place.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
    roots = [place] if fs.exists(place) else [status.getPath() for status in fs.globStatus(place) or []]
    found: dict[str, FileStat] = {}
    tagged = False
    for root in roots:
        folder, files = f"{fs.makeQualified(root).toString().rstrip('/')}/", fs.listFiles(root, True)
        while files.hasNext():
            status = files.next()
            file = str(status.getPath().toString())
            inside = file.removeprefix(folder) if file.startswith(folder) else str(status.getPath().getName())
            tagged = _has_etag(status) if not found else tagged
            etag = str(status.getEtag() or "") if tagged else ""
            found[file] = FileStat(file, int(status.getLen()), int(status.getModificationTime()), inside, etag)
    return sorted(found.values())


def _has_etag(status: Any) -> bool:
    """Whether a storage tells an etag of its files: S3 and ADLS do."""
    names = {str(one.getName()) for one in status.getClass().getInterfaces()}
    return "org.apache.hadoop.fs.EtagSource" in names


def head(spark: SparkSession, path: str, limit: int) -> bytes:
    """The first bytes of a file as they are stored, `limit` at most."""
    if is_connect(spark):
        from spark_jobs.connect import storage

        return storage.head(spark, path, limit)
    jvm: Any = spark._jvm
    place = jvm.org.apache.hadoop.fs.Path(path)
    stream = place.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf()).open(place)
    try:
        return bytes(stream.readNBytes(limit))
    finally:
        stream.close()


def zstd_head(spark: SparkSession, path: str, size: int, limit: int) -> bytes | None:
    """The first bytes of a file compressed with Zstandard, `limit` at most; None where the file isn't whole.

    Args:
        spark: a classic session.
        path: the file.
        size: its bytes, compressed.
        limit: how many are wanted.
    """
    jvm: Any = spark._jvm
    place = jvm.org.apache.hadoop.fs.Path(path)
    stored = place.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf()).open(place)

    def read(at: int, count: int) -> bytes:
        stored.seek(at)
        return bytes(stored.readNBytes(count))

    try:
        if not zstd.is_whole(read, size):
            return None
        stored.seek(0)
        return bytes(jvm.com.github.luben.zstd.ZstdInputStreamNoFinalizer(stored).readNBytes(limit))
    finally:
        stored.close()


def small_text(spark: SparkSession, path: str, limit: int) -> str | None:
    """A small text file, `limit` bytes of it at most; None where there is none."""
    storage = Storage(spark, path)
    return head(spark, path, limit).decode("utf-8-sig", "replace") if storage.exists(path) else None


def digest(spark: SparkSession, path: str, algorithm: str) -> str:
    """The checksum of a file as it is stored, in hexadecimal digits; the bytes pass through the driver's JVM.

    Args:
        spark: a classic session.
        path: the file.
        algorithm: Java's name of it, such as `SHA-256`.
    """
    jvm: Any = spark._jvm
    place = jvm.org.apache.hadoop.fs.Path(path)
    stream = place.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf()).open(place)
    try:
        codec = jvm.org.apache.commons.codec.digest.DigestUtils
        return str(codec(algorithm).digestAsHex(stream))
    finally:
        stream.close()
